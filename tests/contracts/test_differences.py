"""docs/differences.md: each row has a test; here are those that fit no other file."""

import copy
import pathlib
import pickle
import re

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, ops

ROOT = pathlib.Path(keras.__file__).parent.parent
PAGE = ROOT / "docs" / "differences.md"
X = np.random.RandomState(0).rand(6, 3).astype("float32")


def test_each_row_has_a_test():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    named = [re.findall(r"`(test_\w+)` \|$", row) for row in rows]
    rows = [n for row, n in zip(rows, named, strict=True) if "| test |" not in row]
    assert len(rows) > 20 and all(rows)
    sources = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("compat/*.py")]
    text = "\n".join(path.read_text() for path in sources)
    missing = [name for names in rows for name in names if f"def {name}(" not in text]
    assert not missing


@pytest.mark.parametrize("wrap", ["plain", "bidirectional", "nested"])
def test_states_are_carried(wrap):
    def new():
        layer = layers.GRU(2, stateful=True)
        layer = layers.Bidirectional(layer) if wrap == "bidirectional" else layer
        if wrap == "nested":
            layer = keras.Sequential([keras.Input(batch_shape=(2, 4, 3)), layer])
        stack = [keras.Input(batch_shape=(2, 4, 3)), layer, layers.Dense(1)]
        return keras.Sequential(stack)

    model, data = new(), np.random.RandomState(1).rand(2, 4, 3).astype("float32")
    both = np.concatenate([data, data])
    first, second = model.predict(both, batch_size=2, verbose=0).reshape(2, 2)
    assert not np.allclose(first, second)
    # As when it is called batch by batch.
    eager = new()
    eager.set_weights(model.get_weights())
    np.testing.assert_allclose(eager(data)[:, 0], first, atol=1e-6)
    np.testing.assert_allclose(eager(data)[:, 0], second, atol=1e-6)
    third = model.predict_on_batch(data)[:, 0]
    np.testing.assert_allclose(eager(data)[:, 0], third, atol=1e-6)
    # A pass over the data goes on with the states, too, and they are no weights.
    model.compile("sgd", "mse")
    model.evaluate(both, np.zeros((4, 1)), batch_size=2, verbose=0)
    eager(data), eager(data)
    np.testing.assert_allclose(
        model.predict_on_batch(data)[:, 0], eager(data)[:, 0], atol=1e-6
    )
    assert not any("rnn_state" in v.path for v in model.non_trainable_variables)


def test_states_are_reset_in_a_callback():
    stack = [keras.Input(batch_shape=(2, 4, 3)), layers.LSTM(2, stateful=True)]
    model = keras.Sequential(stack)
    model.compile("sgd", "mse")
    seen = []

    class Reset(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(np.abs(np.asarray(model.layers[0].states[0])).sum())
            model.layers[0].reset_state()

    data = np.random.RandomState(1).rand(2, 4, 3)
    model.fit(data, np.ones((2, 2)), epochs=2, verbose=0, callbacks=[Reset()])
    assert min(seen) > 0
    assert not np.asarray(model.layers[0].states[0]).any()


def test_lora_alpha_of_the_constructor():
    layer = layers.Dense(2, lora_rank=2, lora_alpha=8)
    layer.build((None, 3))
    layer.lora_kernel_b.assign(np.ones((2, 2)))
    w = layer.kernel
    a = np.asarray(layer.lora_kernel_a)
    base = np.asarray(w) - 4 * a @ np.ones((2, 2))
    np.testing.assert_allclose(layer(X), X @ (base + 4 * a @ np.ones((2, 2))), 1e-5)
    assert layer.lora_alpha == 8


def test_adam_trains_float16_weights():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, dtype="float16")])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    losses = model.fit(X, X[:, :1], epochs=10, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


def test_a_metric_of_a_sub_layer_counts():
    class Counts(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Sum(name="seen")

        def call(self, x):
            self.seen.update_state(ops.ones(()))
            return x

    model = keras.Sequential([keras.Input((3,)), Counts(), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, X[:, :1], batch_size=2, verbose=0).history
    assert history["seen"] == [3.0]


def test_context_arguments_reach_all_layers():
    class Inner(layers.Layer):
        def __init__(self):
            super().__init__()
            self._register_call_context_args("scale")

        def call(self, x, scale=1.0):
            return x * scale

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self._register_call_context_args("scale")
            self.parts = [Inner(), Inner()]

        def call(self, x):
            return self.parts[1](self.parts[0](x))

    np.testing.assert_allclose(Outer()(X, scale=3.0), 9 * X, rtol=1e-6)


def test_symbolic_answers_are_those_of_the_function():
    x = keras.KerasTensor((3, 3))
    sign, log = ops.slogdet(x)
    assert sign.shape == log.shape == ()
    assert ops.corrcoef(x).shape == (3, 3)
    found = ops.searchsorted(keras.KerasTensor((4,)), keras.KerasTensor((2,)))
    assert found.dtype == str(ops.searchsorted(np.ones(4), np.ones(2)).dtype)
    attention = layers.MultiHeadAttention(2, 3, value_dim=5)
    y, scores = attention(x[None], x[None], return_attention_scores=True)
    assert y.shape == (1, 3, 3) and scores.shape == (1, 2, 3, 3)


def test_a_tensor_is_not_none():
    x = keras.Input((3,))
    assert (x != None) is True and (x == None) is False  # noqa: E711
    assert (x != "x") is True and (x == "x") is False
    assert keras.ops.shape(x != x[0]) == (None, 3)


def test_ndim_of_a_tensor_is_an_int():
    assert ops.ndim(keras.KerasTensor((None, 2, 3))) == 3


def test_gaussian_blur_follows_the_setting():
    image = np.random.RandomState(0).rand(1, 3, 5, 5).astype("float32")
    last = ops.image.gaussian_blur(image.transpose(0, 2, 3, 1))
    keras.config.set_image_data_format("channels_first")
    try:
        first = ops.image.gaussian_blur(image)
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(first, np.transpose(last, (0, 3, 1, 2)), rtol=1e-6)


def test_lists_on_layers_stay_lists():
    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts, self.named = [layers.Dense(1)], {"a": layers.Dense(2)}

    holder = Holder()
    holder.parts.append(layers.Dense(3))
    assert type(holder.parts) is list and type(holder.named) is dict
    assert len(holder._flatten_layers()) == 4


def test_live_functions_and_classes_are_copied():
    class Mine(layers.Layer):  # not registered
        def call(self, x):
            return x + 1

    factor = 3.0
    inputs = keras.Input((2, 3))
    x = layers.TimeDistributed(Mine())(inputs)
    x = layers.Lambda(lambda x: x * factor)(x)
    model = keras.Model(inputs, x)
    model.compile("sgd", loss=lambda a, b: ops.mean((a - b) ** 2))
    clone = keras.models.clone_model(model)
    data = np.ones((2, 2, 3), "float32")
    np.testing.assert_allclose(clone(data), 6 * data)
    assert clone.layers[2].function is model.layers[2].function
    clone.fit(data, data, verbose=0)


@pytest.mark.parametrize(
    "how", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy]
)
def test_models_pickle_and_train_on(how):
    inputs = keras.Input((4, 3))
    x = layers.Bidirectional(layers.LSTM(2))(inputs) * 2
    model = keras.Model(inputs, layers.Dense(1)(ops.relu(x)[:, :3]))
    model.compile("adam", "mse", metrics=["mae"])
    data, y = np.ones((4, 4, 3)), np.ones((4, 1))
    model.fit(data, y, verbose=0)
    again = how(model)
    np.testing.assert_array_equal(
        again.predict(data, verbose=0), model.predict(data, verbose=0)
    )
    a, b = (m.fit(data, y, verbose=0).history["loss"] for m in (model, again))
    np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize(
    "how", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy]
)
def test_models_that_are_copied_before_they_train(how):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", keras.losses.Huber())
    x, y = np.ones((4, 3)), np.ones((4, 2))
    a, b = (m.fit(x, y, verbose=0).history["loss"] for m in (how(model), model))
    assert a == b


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    import h5py

    def new():
        return keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])

    path = tmp_path / "m.weights.h5"
    new().save_weights(path)
    with h5py.File(path, "r+") as file:
        del file["layers/dense_1/vars/1"]
        file["layers/dense_1/vars/1"] = np.zeros(7, "float32")
    model = new()
    before = model.get_weights()
    with pytest.raises(ValueError, match="could not be loaded"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=r"\(2,\), the file's is \(7,\)"):
        model.load_weights(path, skip_mismatch=True)
    after = model.get_weights()
    assert (after[0] != before[0]).any() and (after[2] == before[2]).all()


def test_settings_are_those_of_the_process():
    import threading

    seen = []
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        thread = threading.Thread(
            target=lambda: seen.append(layers.Dense(1).compute_dtype)
        )
        thread.start()
        thread.join()
    finally:
        keras.config.set_dtype_policy("float32")
    assert seen == ["bfloat16"]


def test_an_unknown_argument_of_a_call():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(TypeError):
        model(X, unknown=1)


def test_an_optimizer_that_does_not_know_a_variable():
    optimizer = keras.optimizers.Adam()
    for name in ("first", "second"):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1, name=name)])
        model.compile(optimizer, "mse")
        if name == "first":
            model.train_on_batch(X, X[:, :1])
    with pytest.raises(ValueError, match="second/kernel.*optimizer of its own"):
        model.train_on_batch(X, X[:, :1])
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.layers[0].trainable = True
    with pytest.raises(ValueError, match=r"call `compile\(\)` again"):
        model.fit(X, X[:, :1], verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
