"""Losses against Keras: values, gradients, reductions, symbols, configs, errors."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.draw import Draw, assert_close, both, cases, cast, of_samples, outcome
from minikeras.core.bridge import set_mask
from minikeras.core.naming import to_snake_case

PACKAGES = (keras, minikeras)
MARK = {keras: keras.src.backend.set_keras_mask, minikeras: set_mask}


def predictions(d, settings, shape):
    """Scores for logits, else probabilities."""
    dtype = d.choice("float32", "float32", "float32", "bfloat16", "float16")
    if settings.get("from_logits"):
        return d.normal(shape, dtype=dtype)
    return d.uniform(shape, 0.02, 0.98, dtype)


def numbers(d, settings):
    y_pred = d.normal(d.shape(), dtype=d.choice("float32", "float32", "bfloat16"))
    shape = d.choice(y_pred.shape, y_pred.shape, d.broadcastable(y_pred.shape))
    y_true = d.normal(shape, dtype=d.choice("float32", "float32", "bfloat16", "int32"))
    return y_true, y_pred


def shares(d, settings):
    y_pred = predictions(d, {}, d.shape())
    return d.uniform(y_pred.shape, dtype=d.choice("float32", "bfloat16")), y_pred


def bits(d, settings):
    y_pred = predictions(d, settings, d.shape(sizes=(1, 2, 5)))
    return cast(d.bools(y_pred.shape), d.choice("float32", "int32", "bool")), y_pred


def scores(d, settings):
    """Labels 0 and 1, or -1 and 1, beside any numbers."""
    y_true, y_pred = bits(d, {"from_logits": True})
    return (2 * y_true.astype("int32") - 1 if d.chance() else y_true), y_pred


def one_hot(d, settings):
    shape = (*d.shape(0, 2), d.choice(2, 3, 5))
    y_true = np.eye(shape[-1])[d.ints(shape[:-1], 0, shape[-1])]
    if d.chance(0.3):
        y_true = d.uniform(shape)
    return cast(y_true, "float32"), predictions(d, settings, shape)


def labels(d, settings):
    shape = (*d.shape(0, 2), d.choice(2, 3, 5))
    y_true = d.ints(shape[:-1], 0, shape[-1], d.choice("int32", "int64", "float32"))
    if d.chance(0.3):
        y_true = y_true[..., None]
    return y_true, predictions(d, settings, shape)


def embeddings(d, settings):
    y_pred = d.normal((d.choice(2, 5), 3))
    y_pred /= np.linalg.norm(y_pred, axis=1, keepdims=True)
    y_pred *= d.choice(1, 2)  # of another length, too
    y_true = d.ints((len(y_pred), *d.choice((), (1,))), 0, 2)
    if settings.pop("others", False):
        settings["ref_embeddings"] = y_pred[::-1].copy()
        settings["ref_labels"] = d.ints(len(y_pred), 0, 2)
    return y_true, y_pred


def frames(d, settings):
    count, length = d.choice(1, 3), d.choice(1, 2, 3)
    y_true = d.ints((count, length), 1, 4)
    y_true[np.arange(length) >= d.ints((count, 1), 1, length + 1)] = 0
    return y_true, d.normal((count, 2 * length + d.choice(0, 2), 4))


PROBABILITIES = {
    "from_logits": (True,),
    "label_smoothing": (0.1, 0.4),
    "axis": (-1, 0),
}
FOCAL = {**PROBABILITIES, "gamma": (0.5, 3.0), "alpha": (0.4,)}
TABLE = {
    "mean_squared_error": (numbers, {}),
    "mean_absolute_error": (numbers, {}),
    "mean_absolute_percentage_error": (numbers, {}),
    "mean_squared_logarithmic_error": (numbers, {}),
    "huber": (numbers, {"delta": (0.3, 2.0)}),
    "log_cosh": (numbers, {}),
    "poisson": (shares, {}),
    "kl_divergence": (shares, {}),
    "cosine_similarity": (numbers, {"axis": (0, -1)}),
    "hinge": (scores, {}),
    "squared_hinge": (scores, {}),
    "categorical_hinge": (one_hot, {}),
    "binary_crossentropy": (bits, PROBABILITIES),
    "categorical_crossentropy": (one_hot, PROBABILITIES),
    "sparse_categorical_crossentropy": (
        labels,
        {"from_logits": (True,), "ignore_class": (0, 1, -1)},
    ),
    "binary_focal_crossentropy": (bits, {**FOCAL, "apply_class_balancing": (True,)}),
    "categorical_focal_crossentropy": (one_hot, FOCAL),
    "categorical_generalized_cross_entropy": (labels, {"q": (0.3, 0.7)}),
    "circle": (
        embeddings,
        {
            **{"gamma": (10.0,), "margin": (0.2,), "remove_diagonal": (False,)},
            "others": (True,),
        },
    ),
    "ctc": (frames, {}),
    "dice": (bits, {"axis": (0, -1, (0,))}),
    "tversky": (bits, {"axis": (0, -1), "alpha": (0.3,), "beta": (0.8,)}),
}
CLASSES = {
    name: to_snake_case(name)
    for name in dir(keras.losses)
    if inspect.isclass(getattr(keras.losses, name)) and name != "Loss"
}
FUNCTIONS = {
    name
    for name in dir(keras.losses)
    if inspect.isfunction(getattr(keras.losses, name))
} - {"get", "serialize", "deserialize"}


def test_every_public_name_has_a_case():
    assert set(TABLE) == FUNCTIONS
    assert set(CLASSES.values()) == FUNCTIONS


def generated(name, seed, kind):
    """(draw, settings, y_true, y_pred) of a case."""
    d = Draw(kind, name, seed)
    maker, choices = TABLE[name]
    if kind == "class":
        choices = {k: v for k, v in choices.items() if k != "others"}
    settings = d.options(choices)
    if name == "categorical_generalized_cross_entropy":
        settings.setdefault("q", 0.5)
    return d, settings, *maker(d, settings)


@pytest.mark.parametrize(("name", "seed"), cases(sorted(TABLE), 16))
def test_function(name, seed):
    """Values, and gradients of a weighted sum of them, under jit."""
    _, settings, y_true, y_pred = generated(name, seed, "function")

    def run(package):
        loss = getattr(package.losses, name)

        def total(y_pred):
            values = loss(y_true, y_pred, **settings)
            ramp = jnp.arange(values.size).reshape(values.shape) / 7 - 0.3
            return jnp.sum(values * ramp).astype("float32"), values

        return jax.jit(jax.grad(total, has_aux=True))(y_pred)

    (their_grad, theirs), (our_grad, ours) = both(run, PACKAGES)
    half = y_pred.dtype != "float32"
    reduction = y_pred.size if settings.get("axis") != -1 else y_pred.shape[-1]
    assert_close(ours, theirs, reduction)
    assert_close(our_grad, their_grad, reduction, 5e-2 if half else 1e-5, least=0.1)


REDUCTIONS = ("sum", "mean", "sum_over_batch_size", "mean_with_sample_weight", None)


def weights_for(d, shape):
    """None, or weights of one of the shapes that go with values of `shape`."""
    if d.chance(0.3):
        return None
    shapes = [(), shape, shape[:1], (*shape, 1), (*shape[:1], *(1 for _ in shape[1:]))]
    return d.uniform(d.choice(*shapes), 0.1, 2.0)


@pytest.mark.parametrize(("name", "seed"), cases(sorted(CLASSES), 16))
def test_class(name, seed):
    """Reductions, sample weights, masks and dtypes, under jit."""
    function = CLASSES[name]
    d, settings, y_true, y_pred = generated(function, seed, "class")
    loss = getattr(minikeras.losses, function)
    values, _ = outcome(jax.eval_shape, lambda *y: loss(*y, **settings), y_true, y_pred)
    shape = y_pred.shape[:1] if values is None else values.shape
    weights = weights_for(d, shape)
    mask = d.bools(shape, 0.6) if shape and d.chance(0.4) else None
    settings |= {"reduction": d.choice(*REDUCTIONS)}
    if d.chance(0.3):
        settings["dtype"] = d.choice("bfloat16", "float16", "mixed_bfloat16")

    def run(package):
        loss = getattr(package.losses, name)(**settings)

        def call(y_true, y_pred):
            if mask is not None:
                MARK[package](y_pred, jnp.asarray(mask))
            return loss(y_true, y_pred, given)

        # Keras weighs time steps by (n,), or refuses: it is told (n, t) outright.
        given = weights
        if package is keras and np.ndim(weights) and np.ndim(weights) < len(shape):
            given = of_samples(weights, shape)
        return jax.jit(call)(y_true, y_pred)

    theirs, ours = both(run, PACKAGES)
    # Half-width sums: each package adds up in its own order.
    assert_close(ours, theirs, max(y_pred.size, 4))


UNKNOWN = [
    ((None, 3), (None, 3)),
    ((None,), (None, 3)),
    ((2, 3), (2, 3)),
    ((None, 4), (None, 5, 3)),
    ((None, None, 2), (None, None, 2)),
]


@pytest.mark.parametrize("name", sorted(FUNCTIONS | set(CLASSES)))
@pytest.mark.parametrize("shapes", UNKNOWN, ids=str)
def test_keras_tensors(name, shapes):
    """Where Keras has a spec, and can compute it, ours is the same."""

    def spec(package):
        loss = getattr(package.losses, name)
        loss = loss() if name in CLASSES else loss
        extra = {"q": 0.5} if name == "categorical_generalized_cross_entropy" else {}
        out = loss(*(package.KerasTensor(s) for s in shapes), **extra)
        return tuple(out.shape), out.dtype

    def runs(package):
        sizes = ([n or 7 + i for i, n in enumerate(s)] for s in shapes)
        filled = [np.ones(size, "float32") for size in sizes]
        loss = getattr(package.losses, name)
        extra = {"q": 0.5} if name == "categorical_generalized_cross_entropy" else {}
        return (loss() if name in CLASSES else loss)(*filled, **extra)

    try:
        expected = spec(keras)
        runs(minikeras)
    except Exception:
        return
    assert spec(minikeras) == expected


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_signature_and_config(name):
    ours, theirs = (getattr(p.losses, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)
    _, settings, *_ = generated(CLASSES[name], 1, "class")
    implicit = ours._mk_implicit  # what Keras forgets
    settings = {k: v for k, v in settings.items() if k not in implicit}
    for extra in ({}, {"reduction": "sum", "name": "n"}, settings):
        made = [cls(**extra) for cls in (ours, theirs)]
        assert made[0].name == made[1].name and made[0].dtype == made[1].dtype
        saved = [
            json.loads(json.dumps(p.losses.serialize(loss)))
            for p, loss in zip((minikeras, keras), made, strict=True)
        ]
        assert json.dumps(saved[0]) == json.dumps(saved[1])  # the same order, too
        for package in PACKAGES:
            if package is keras and name == "CategoricalGeneralizedCrossEntropy":
                continue  # Keras does not find it by name
            again = package.losses.deserialize(saved[0])
            assert json.loads(json.dumps(again.get_config())) == saved[0]["config"]
        for argument in inspect.signature(theirs).parameters:
            if argument != "dtype" and hasattr(made[1], argument):
                assert getattr(made[0], argument) == getattr(made[1], argument)


SHORT = "bce mae mape mse msle kld BCE MAE MAPE MSE MSLE KLD huber log_cosh".split()


@pytest.mark.parametrize("name", sorted(FUNCTIONS | set(CLASSES)) + SHORT + [None])
def test_get(name):
    for how in ("get", "deserialize"):

        def look_up(package, how=how):
            return getattr(package.losses, how)(name)

        try:
            theirs = look_up(keras)
        except ValueError:
            continue
        if isinstance(theirs, str):  # Keras gives unknown names back
            continue
        ours = look_up(minikeras)
        assert type(ours).__name__ == type(theirs).__name__
        assert getattr(ours, "__name__", None) == getattr(theirs, "__name__", None)


def refused(package, attempt):
    try:
        attempt(package)
    except Exception as error:
        return error
    return None


def call(name, y_true, y_pred, **settings):
    return lambda p: getattr(p.losses, name)(
        np.array(y_true), np.array(y_pred), **settings
    )


BAD = {
    "reduction": lambda p: p.losses.MeanSquaredError(reduction="avg"),
    "q": lambda p: p.losses.CategoricalGeneralizedCrossEntropy(q=1.5),
    "unknown name": lambda p: p.losses.get("mean_sqared_error"),
    "number": lambda p: p.losses.get(3),
    "config without a class": lambda p: p.losses.deserialize({}),
    "ctc's ranks": call("ctc", [1, 2], [[0.1, 0.2]]),
    "crossentropy's shapes": call(
        "categorical_crossentropy", np.ones((3, 1)), np.ones((3, 2))
    ),
    "binary shapes": call("binary_crossentropy", np.ones((3, 1)), np.ones((3, 2))),
    "sparse shapes": call(
        "sparse_categorical_crossentropy", np.ones((3, 2)), np.ones((3, 2))
    ),
    "shapes": call("mean_squared_error", np.ones((3, 4)), np.ones((3, 2))),
    "sparse axis": call(
        "sparse_categorical_crossentropy", np.ones(3), np.ones((3, 2)), axis=5
    ),
    "mean axis": call("binary_crossentropy", np.ones(3), np.ones(3), axis=5),
    "abstract": lambda p: p.losses.Loss()(np.ones(3), np.ones(3)),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_kerass_kind_of_error(what):
    theirs, ours = (refused(p, BAD[what]) for p in PACKAGES)
    assert theirs is not None and ours is not None
    kinds = (ValueError, TypeError, NotImplementedError)
    expected = next((k for k in kinds if isinstance(theirs, k)), Exception)
    assert isinstance(ours, expected), (theirs, ours)
    assert len(str(ours)) > 20
