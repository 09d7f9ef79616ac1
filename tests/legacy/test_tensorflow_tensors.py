"""Sizes of unknown tensors, methods on arrays, and objects of the stand-in."""

import warnings

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.legacy import tensorflow as tf
from minikeras.legacy.tensorflow import tensors

NAMESPACES = tf.NAMESPACES
train, tf_random = NAMESPACES["train"], NAMESPACES["random"]


@pytest.fixture
def installed():
    tensors.install()
    yield
    tensors.remove()


def test_methods_come_and_go():
    x, jitted = jax.numpy.ones((2, 3)), []
    tensors.install()
    tensors.install()
    try:
        assert x.shape.as_list() == [2, 3] and x.get_shape().ndims == 2
        assert x.shape == (2, 3) and hash(x.shape) == hash((2, 3))
        assert isinstance(x.numpy(), np.ndarray)
        assert keras.Input((3,)).shape.as_list() == [None, 3]
        weight = keras.Variable(np.ones((2, 3)))
        assert weight.shape.rank == 2 and weight.get_shape().as_list() == [2, 3]
        jax.jit(lambda a: jitted.append(a.get_shape().as_list()))(x)
        assert jitted == [[2, 3]]
        symbolic = x[0] * keras.Input((3,))  # JAX would refuse it
        assert symbolic.shape == (None, 3)
        with pytest.raises(ValueError, match="incompatible"):
            x.set_shape((3, 3))
    finally:
        tensors.remove()
    assert type(x.shape) is tuple and not hasattr(x, "numpy")
    assert type(keras.Input((3,)).shape) is tuple
    assert type(weight.shape) is tuple and not hasattr(weight, "get_shape")


def test_functions_of_data_sets_see_tensors():
    def split(x, y):
        assert x.shape.as_list() == [3] and x.get_shape().ndims == 1
        x.set_shape([None])
        with pytest.raises(ValueError, match="incompatible"):
            x.set_shape([4])
        return x[:2], {"y": y * 2}

    data = keras.data.Dataset.from_tensor_slices((np.ones((4, 3)), np.arange(4)))
    plain = vars(keras.data.Dataset).get("map"), keras.data.Dataset.map
    tensors.install()
    try:
        found = list(data.map(split).batch(4))
        doubled = list(data.map(lambda x, y: (x + x, y)))
        layer = keras.layers.Rescaling(0.5)
        (halves,) = data.map(lambda x, y: x).map(layer).batch(4)
    finally:
        tensors.remove()
    assert found[0][0].shape == (4, 2) and found[0][1]["y"].tolist() == [0, 2, 4, 6]
    assert doubled[0][0].tolist() == [2, 2, 2] and (np.asarray(halves) == 0.5).all()
    assert (vars(keras.data.Dataset).get("map"), keras.data.Dataset.map) == plain
    assert not hasattr(type(next(iter(data))[0]), "set_shape")


def test_operators_take_lists(installed):
    x = jax.numpy.asarray([[1.0, 2.0], [3.0, 5.0]], "bfloat16")
    for found in (x - [1, 2], jax.jit(lambda a: a - [1.0, 2.0])(x)):
        assert found.dtype == "bfloat16" and found.tolist() == [[0, 0], [2, 3]]
    assert ([6.0, 10.0] / x).tolist() == [[6, 5], [2, 2]]
    assert (x[0] == [1, 3]).tolist() == [True, False]
    assert (jax.numpy.asarray([2, 3]) * [2, 4]).tolist() == [4, 12]
    assert (jax.numpy.asarray([2, 3]) < (2.5, 2.5)).tolist() == [True, False]


def test_sizes_stay_unknown():
    x = keras.Input((None, 3))
    size = tf.shape(x)
    assert len(size) == 3 and int(size[2]) == 3
    assert tf.reshape(x, (size[0], -1)).shape == (None, None)
    assert tf.reshape(x, [-1, size[2] * 2]).shape == (None, 6)
    assert tf.zeros([size[0], 4]).shape == (None, 4)
    assert tf.reshape(x, tf.concat([size[:1], [-1, 3]], 0)).shape == (None, None, 3)
    mean = tf.reduce_sum(x) / tf.cast(tf.size(x), tf.float32)
    assert mean.shape == ()
    with pytest.raises(TypeError, match="tf.reshape"):
        range(size[0])


def test_a_model_of_sizes_and_draws(tmp_path):
    """The sampling of a variational autoencoder, saved, loaded and trained."""
    x = keras.Input((4,))
    mean, log = keras.layers.Dense(2)(x), keras.layers.Dense(2)(x)
    noise = tf_random.normal(shape=(tf.shape(mean)[0], 2))
    z = mean + tf.exp(0.5 * log) * noise
    ones = tf.ones([tf.shape(z)[0], 1])
    model = keras.Model(x, tf.reshape(tf.concat([z, ones], -1), (tf.shape(z)[0], -1)))
    data = np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4)
    first = model(data)
    assert first.shape == (5, 3) and not np.allclose(first, model(data))
    model.compile("sgd", "mse")
    model.fit(data, np.ones((5, 3)), verbose=0)
    model.save(tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras")(data[:2]).shape == (2, 3)


class Flat(keras.layers.Layer):
    def call(self, x):
        size = tf.shape(x)
        n, rest = size[0], tf.reduce_prod(tf.shape(x)[1:])
        positions = tf.cast(tf.range(start=0, limit=size[1], delta=1), tf.float32)
        flat = tf.reshape(x, tf.stack([n, rest])) + tf.zeros([n, rest])
        return flat + tf.tile(positions, [size[2]])


def test_sizes_in_a_layer():
    x = np.arange(24, dtype="float32").reshape(2, 4, 3)
    expected = x.reshape(2, 12) + np.tile(np.arange(4), 3)
    layer = Flat()
    np.testing.assert_array_equal(layer(x), expected)
    np.testing.assert_array_equal(jax.jit(lambda a: layer(a))(x), expected)
    assert layer(keras.Input((4, 3))).shape == (None, 12)


def test_dtypes():
    x = tf.constant([1.5])
    assert x.dtype == tf.float32 and tf.float32 == x.dtype and x.dtype != tf.int32
    assert tf.float32.is_floating and tf.int32.is_integer
    assert tf.float32.as_numpy_dtype is np.float32 and tf.uint8.max == 255
    assert keras.layers.Dense(1, dtype=tf.float32).dtype == "float32"


def test_seeds():
    def draws():
        tf_random.set_seed(3)
        normal = tf_random.normal((2,), seed=1), tf_random.normal((2,), seed=1)
        ints = tf_random.uniform((50,), 2, 5, dtype=tf.int32)
        return *normal, ints, tf_random.shuffle([1, 2, 3])

    state = np.random.get_state()[1].copy()
    one, two = draws(), draws()
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(one[0], one[1])
    assert one[2].dtype == tf.int32 and set(np.unique(one[2])) == {2, 3, 4}
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    stateless = [tf_random.stateless_normal((3,), seed=[1, 2]) for _ in range(2)]
    np.testing.assert_array_equal(*stateless)


def test_variable_and_tape():
    v = tf.Variable([1.0, 2.0], name="a/b")
    assert v.assign_add([1.0, 1.0]) is v
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(v) * tf.constant([1.0, 3.0]))
    np.testing.assert_allclose(tape.gradient(loss, v), [4.0, 18.0])
    train.AdamOptimizer(0.1).minimize(lambda: tf.reduce_sum(v**2), var_list=[v])
    np.testing.assert_allclose(v.numpy(), [1.9, 2.9], atol=1e-5)
    double = tf.custom_gradient(lambda x: (x * 2, lambda dy: dy * 10))
    np.testing.assert_allclose(jax.grad(lambda x: double(x))(1.0), 10.0)


def test_tensor_arrays():
    """Compared with TensorFlow 2.21."""
    array = tf.TensorArray(tf.float32, 3)
    array = array.write(0, 1.5).write(tf.constant(2), 2.0)
    assert array.stack().tolist() == [1.5, 0, 2] and array.size() == 3
    longer = tf.TensorArray(tf.int32, dynamic_size=True).write(2, [4, 5])
    assert longer.stack().tolist() == [[0, 0], [0, 0], [4, 5]]
    assert longer.gather([2, 0]).tolist() == [[4, 5], [0, 0]]
    assert longer.concat().tolist() == [0, 0, 0, 0, 4, 5]
    rows = tf.TensorArray(tf.float32, 2).unstack(tf.constant([[1.0], [3.0]]))
    assert rows.scatter([0], tf.constant([[7.0]])).read(0).tolist() == [7]
    assert tf.TensorArray(tf.int32, 1, element_shape=[2]).stack().tolist() == [[0, 0]]
    with pytest.raises(IndexError, match="not below its size, 3"):
        array.write(3, 1.0)
    with pytest.raises(ValueError, match="nothing was written"):
        tf.TensorArray(tf.float32, 2).stack()


def test_loops_over_ranges_are_compiled():
    def loop(x):
        array, total = tf.TensorArray(tf.float32, tf.shape(x)[0]), 0.0
        for i in tf.range(tf.shape(x)[0]):
            array = array.write(i, x[i] * tf.cast(i, tf.float32))
        for i in tf.range(2):
            total += tf.gather(x, i)
        return array.stack(), total, tf.range(3) * tf.cast(x, tf.int32)

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as that it runs eagerly
        stack, total, product = tf.function(loop)(tf.constant([3.0, 4.0, 5.0]))
    assert stack.tolist() == [0, 4, 10] and total == 7
    assert product.tolist() == [0, 4, 10]
    with tf.GradientTape() as tape:
        v, powers = tf.Variable(2.0), tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            powers = powers.write(i, v ** tf.cast(i, tf.float32))
        y = tf.reduce_sum(powers.stack())
    assert tape.gradient(y, v) == 5


def test_checkpoints(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    step = tf.Variable(3)
    checkpoint = train.Checkpoint(model=model, opt=keras.optimizers.Adam(), step=step)
    manager = train.CheckpointManager(checkpoint, tmp_path, max_to_keep=2)
    for _ in range(3):
        manager.save()
    assert [path[-6:] for path in manager.checkpoints] == ["ckpt-2", "ckpt-3"]
    weights = model.get_weights()
    model.set_weights([0 * w for w in weights])
    step.assign(0)
    checkpoint.restore(train.latest_checkpoint(tmp_path)).expect_partial()
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    assert int(step) == 3


def test_names_of_tensorflow_1():
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        assert session.run([tf.constant(1.5)]) == [1.5]
        with pytest.raises(NotImplementedError, match="no placeholders"):
            session.run(None, feed_dict={"x": 1})


@pytest.mark.parametrize(
    ("space", "name", "text"),
    [
        ("", "raw_ops", "keras.ops or jax.lax"),
        ("math", "reduce_meen", "tf.math.reduce_mean"),
        ("io", "parse_single_example", "numpy.load"),
        ("", "placeholder", "keras.Input"),
    ],
)
def test_lacking_names(space, name, text):
    part = NAMESPACES[space] if space else tf
    assert not hasattr(part, name)
    assert text in part.lacking(name)


def test_sizes_that_depend_on_values():
    with pytest.raises(TypeError, match="tf.shape"):
        jax.jit(lambda n: tf.zeros([n, 2]))(3)


def test_checks_and_images(tmp_path, capsys):
    with pytest.raises(NAMESPACES["errors"].InvalidArgumentError, match="x=1, y=2"):
        NAMESPACES["debugging"].assert_equal(1, 2)
    pytest.importorskip("PIL")
    io, pixels = NAMESPACES["io"], np.arange(24, dtype="uint8").reshape(2, 4, 3)
    io.write_file(str(tmp_path / "a.png"), io.encode_png(pixels))
    found = io.decode_png(io.read_file(tf.constant(str(tmp_path / "a.png"))), 3)
    np.testing.assert_array_equal(found, pixels)
    tf.print("a", tf.constant(1.5), tf.constant([1, 2]))
    assert capsys.readouterr().err == "a 1.5 [1 2]\n"


# What TensorFlow 2.21 gives in a model, for batches of 1, 2 and 7.
OF_UNKNOWN_SIZES = {
    "tf.fill([3], tf.minimum(n, 4))": (1, 2, 4),
    "n == 1": (1, 0, 0),
    "n > 1": (0, 1, 1),
    "tf.equal(n, 2)": (0, 1, 0),
    "tf.where(n > 1, 5, 7)": (7, 5, 5),
    "n // 5": (0, 0, 1),
    "tf.maximum(tf.shape(x), [1, 100])[0]": (1, 2, 7),
    "tf.gather([5, 6, 7], tf.minimum(n, 2))": (6, 7, 7),
    "tf.logical_or(n > 2, n < 1)": (0, 0, 1),
    "tf.cumsum(tf.shape(x))[1]": (4, 5, 10),
    "(tf.shape(x) * 2)[1]": (6, 6, 6),
}


def test_numbers_of_unknown_sizes():
    x = keras.Input((3,))
    n, names = tf.shape(x)[0], {"tf": tf, "x": x}
    found = [eval(text, {**names, "n": n}) for text in OF_UNKNOWN_SIZES]
    model = keras.Model(x, [x * tf.cast(value, tf.float32) for value in found])
    for i, size in enumerate((1, 2, 7)):
        outputs = [float(y[0, 0]) for y in model(np.ones((size, 3), "float32"))]
        assert outputs == [values[i] for values in OF_UNKNOWN_SIZES.values()]
    with pytest.raises(TypeError, match="not known before"):
        bool(n > 1)


@pytest.mark.parametrize("name", ["io.write_file", "io.gfile.rmtree", "py_function"])
def test_files_name_no_functions_with_effects(name, tmp_path):
    import zipfile

    x = keras.Input((3,))
    model, path = keras.Model(x, NAMESPACES["nn"].relu(x)), tmp_path / "a.keras"
    crafted = model.to_json().replace('"nn.relu"', f'"{name}"')
    assert name in crafted
    with pytest.raises(ValueError, match=f"tf.{name}"):
        keras.models.model_from_json(crafted)
    model.save(path)
    with zipfile.ZipFile(path) as file:
        parts = {part: file.read(part) for part in file.namelist()}
    parts["config.json"] = parts["config.json"].replace(
        b'"nn.relu"', f'"{name}"'.encode()
    )
    with zipfile.ZipFile(path, "w") as file:
        for part, content in parts.items():
            file.writestr(part, content)
    with pytest.raises(ValueError, match=f"tf.{name}"):
        keras.models.load_model(path)


def test_shapes_and_values_leave_the_stand_in(installed):
    import copy
    import pickle

    x = jax.numpy.ones((2, 3))
    assert type(pickle.loads(pickle.dumps(x.shape))) is tuple
    assert copy.deepcopy(x.shape).as_list() == [2, 3] and x.shape == [2, 3]
    assert x.shape != [2, 4] and x.shape != (3, 2)
    values = x.numpy()
    values[0] = 5
    assert x[0, 0] == 1


def test_layouts_and_wrong_arguments():
    """TensorFlow has "NCHW" on GPUs alone: compared with its "NHWC"."""
    nn, x = NAMESPACES["nn"], np.random.RandomState(2).randn(1, 4, 4, 8)
    first = np.moveaxis(x, -1, 1)
    for name in ("space_to_depth", "depth_to_space"):
        found = getattr(nn, name)(first, 2, data_format="NCHW")
        expected = getattr(nn, name)(x, 2)
        np.testing.assert_array_equal(np.moveaxis(found, 1, -1), expected)
    with pytest.raises(ValueError, match="direction"):
        tf.sort([1, 2], direction="foo")
    with pytest.raises(ValueError, match=r"\[0, 3\)"):
        nn.embedding_lookup([1.0, 2.0, 3.0], [7])
