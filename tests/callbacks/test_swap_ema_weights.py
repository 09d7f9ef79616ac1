import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import (
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    SwapEMAWeights,
)

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X[:, :1]
EPOCHS = 3


def sgd(**settings):
    return keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, **settings)


def multi():
    rules = keras.optimizers.OptimizerMap(sgd(), {".*bias": sgd(name="other")})
    return keras.optimizers.MultiOptimizer(rules)


OPTIMIZERS = {
    "sgd": sgd,
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(sgd()),
    "multi": multi,
}
_each = pytest.mark.parametrize("kind", OPTIMIZERS)


def make(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def kernel(model):
    return model.get_weights()[0].ravel().tolist()


def fit(model, *used, epochs=EPOCHS, **settings):
    return model.fit(
        X,
        Y,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        validation_data=(X, Y),
        callbacks=list(used),
        **settings,
    )


def trace(model, *used, **settings):
    """The kernels that each hook sees, as arrays."""
    seen = {}

    def note(name):
        return lambda *_: seen.setdefault(name, []).append(kernel(model))

    names = ("epoch_begin", "epoch_end", "test_begin", "test_end", "train_end")
    hooks = LambdaCallback(**{f"on_{name}": note(name) for name in names})
    fit(model, *used, hooks, **settings)
    return {name: np.array(values) for name, values in seen.items()}


def averages(model, weights):
    """The averages after each epoch, from the weights after each step."""
    found, average = [], None
    for value in weights:
        average = value if average is None else 0.9 * average + 0.1 * value
        found.append(average)
    return found[1::2]  # two steps are an epoch


@_each
def test_evaluations_see_the_averages(kind):
    model = make(OPTIMIZERS[kind]())
    steps = []
    note = LambdaCallback(on_train_batch_end=lambda *_: steps.append(kernel(model)))
    seen = trace(model, SwapEMAWeights(), note)
    expected = averages(model, np.array(steps))
    np.testing.assert_allclose(seen["test_begin"], expected, rtol=1e-5)
    np.testing.assert_array_equal(seen["test_end"], steps[1::2])
    np.testing.assert_array_equal(seen["epoch_end"], steps[1::2])
    np.testing.assert_allclose(kernel(model), expected[-1], rtol=1e-5)


@_each
def test_training_is_the_same_with_it(kind):
    alone, swapped = make(OPTIMIZERS[kind]()), make(OPTIMIZERS[kind]())
    expected = fit(alone, shuffle=False).history
    found = fit(swapped, SwapEMAWeights(swap_on_epoch=True), shuffle=False).history
    for name in ("loss", "mae"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(kernel(swapped), kernel(alone))
    assert found["val_loss"] != expected["val_loss"]
    # The last evaluation was of the weights that remain.
    loss = swapped.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(loss, found["val_loss"][-1], rtol=1e-6)


def test_ends_of_epochs_see_the_averages(tmp_path):
    model = make(sgd())
    files = ModelCheckpoint(tmp_path / "{epoch}.keras")
    seen = trace(model, SwapEMAWeights(swap_on_epoch=True), files)
    np.testing.assert_array_equal(seen["epoch_end"], seen["test_begin"])
    np.testing.assert_array_equal(seen["epoch_begin"][1:], seen["test_end"][:-1])
    for epoch, expected in enumerate(seen["epoch_end"], 1):
        saved = keras.models.load_model(tmp_path / f"{epoch}.keras")
        np.testing.assert_array_equal(kernel(saved), expected)


def test_a_training_that_stops_early_ends_with_the_averages():
    model = make(sgd())
    stop = EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    seen = trace(model, SwapEMAWeights(swap_on_epoch=True), stop)
    assert len(seen["epoch_end"]) == 2
    # The best epoch was the first; what was restored were its averages.
    np.testing.assert_array_equal(kernel(model), seen["epoch_end"][0])


def test_evaluate_and_predict():
    model, swap = make(sgd()), SwapEMAWeights()
    loss = model.evaluate(X, Y, verbose=0)
    # Before the first step the averages are the weights.
    assert model.evaluate(X, Y, verbose=0, callbacks=[swap]) == loss
    fit(model)
    average, y = kernel(model), model.predict(X, verbose=0)
    raw = [w + 1 for w in model.get_weights()]
    model.set_weights(raw)
    found = model.predict(X, verbose=0, callbacks=[swap])
    np.testing.assert_array_equal(found, y)
    assert kernel(model) == raw[0].ravel().tolist() != average


def test_nothing_goes_through_the_host(monkeypatch):
    model, swap = make(sgd()), SwapEMAWeights(swap_on_epoch=True)
    fit(model, swap, epochs=1)
    monkeypatch.setattr(np, "asarray", None)
    monkeypatch.setattr(keras.Variable, "numpy", None)
    swap.on_test_begin()
    swap.on_test_end()
    swap.on_epoch_end(0)
    swap.on_epoch_begin(1)


@pytest.mark.parametrize("optimizer", ["sgd", keras.optimizers.Adam(0.1), None])
def test_an_optimizer_without_averages(optimizer):
    model = make("sgd")
    if optimizer is not None:
        model.compile(optimizer, "mse")
    else:
        model.optimizer = None
    swap = SwapEMAWeights()
    swap.set_model(model)
    with pytest.raises(ValueError, match="must be used when `use_ema=True`"):
        swap.on_train_begin()
