"""The same script under both packages with the same seed gives the same numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.cases import BASE, CASES, data


class Start:
    """What the weights are when training begins, also of models built by `fit`."""

    def __init__(self, package):
        outer = self

        class Recorder(package.callbacks.Callback):
            def on_train_begin(self, logs=None):
                outer.weights = self.model.get_weights()

        self.callback = Recorder()


def script(package, name):
    """Build and train a case; returns the model, its start, its history, its data."""
    package.utils.clear_session()
    package.utils.set_random_seed(1234)
    model, arguments = CASES[name](package)
    arguments = {**BASE, **arguments}
    start = Start(package)
    arguments["callbacks"] = [*arguments.get("callbacks", ()), start.callback]
    history = model.fit(**arguments)
    return model, start.weights, history, arguments


def held_out(name, arguments):
    """Arguments of `evaluate` on data that every case has."""
    if name == "generator":
        return {"x": data(6, 5), "y": data(6, 2), "verbose": 0}
    keys = ("x", "y", "sample_weight", "batch_size")
    return {key: arguments[key] for key in (*keys, "verbose") if key in arguments}


def close(left, right):
    np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def close_trees(left, right):
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        left, right = list(left.values()), list(right.values())
    if isinstance(left, list):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            close_trees(a, b)
    else:
        close(left, right)


# These take long to compile, and their layers and settings are those of other cases.
SLOW = (
    *("transformer_classifier", "binary_metrics", "stacked_lstm_masked", "conv_lstm"),
    *("residual_net", "dict_outputs", "generative_adversarial_net", "nesterov_noise"),
    *("centered_rmsprop_alpha_dropout", "embedding", "variational_autoencoder"),
    *("adam_moving_average", "accumulated_gradients", "operations", "own_cell"),
    "call_without_training",
    *("encoder_decoder", "causal_language_model", "tagger", "grouped_query_decoder"),
    *("translator", "stacked_cells", "rnn_on_each_step", "inception", "u_net"),
    *("sentiment", "forecaster", "squeeze_and_excite", "convolutional_autoencoder"),
    *("convolutional_encoder_decoder", "list_outputs"),
)


@pytest.mark.parametrize("name", draw.names(CASES, set(CASES) - set(SLOW)))
def test_same_numbers(name):
    theirs, their_start, their_history, arguments = script(keras, name)
    drawn = np.random.random()
    ours, our_start, our_history, our_arguments = script(minikeras, name)
    assert np.random.random() == drawn  # as many shuffles of the same sizes
    assert len(our_start) == len(their_start)
    for a, b in zip(our_start, their_start, strict=True):
        np.testing.assert_array_equal(a, b)
    assert our_history.epoch == their_history.epoch
    assert list(our_history.history) == list(their_history.history)
    for key, series in their_history.history.items():
        np.testing.assert_allclose(
            our_history.history[key], series, rtol=1e-5, atol=1e-6, err_msg=key
        )
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(
            a.numpy(), np.asarray(b.value), rtol=1e-4, atol=2e-6, err_msg=a.path
        )
    pair = ours, theirs
    given = held_out(name, our_arguments), held_out(name, arguments)
    for extra in ({}, {"return_dict": True}):
        close_trees(
            *(m.evaluate(**g, **extra) for m, g in zip(pair, given, strict=True))
        )
    close_trees(
        *(m.predict(g["x"], verbose=0) for m, g in zip(pair, given, strict=True))
    )


def equal_state(ours, theirs):
    """Give every variable of ours, random counters too, the value of theirs."""
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        a.assign(np.asarray(b.value))


DRAWING = (
    *("momentum_dropout", "nesterov_noise", "centered_rmsprop_alpha_dropout"),
    *("dict_outputs", "list_outputs", "subclass_add_loss", "nested_layers"),
    *("embedding", "adam_normalization"),
)


@pytest.mark.parametrize("name", draw.names(DRAWING, DRAWING[::4]))
def test_same_draws(name):
    models = []
    for package in (keras, minikeras):
        package.utils.clear_session()
        package.utils.set_random_seed(99)
        model, arguments = CASES[name](package)
        x = arguments["x"]
        model(x)
        models.append(model)
    theirs, ours = models
    equal_state(ours, theirs)
    for _ in range(2):  # the second draw continues from the first one's counter
        out = [m(x, training=True) for m in (ours, theirs)]
        out = [list(o.values()) if isinstance(o, dict) else o for o in out]
        out = [o if isinstance(o, list) else [o] for o in out]
        for a, b in zip(*out, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), np.asarray(b.value), err_msg=a.path)
