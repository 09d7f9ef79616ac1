"""Asserts that a layer or model computes the same in Keras and in minikeras."""

import contextlib
import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import minikeras
from minikeras.parity.distance import EPSILON, apart, size, worst_element
from minikeras.parity.exchange import from_keras, real_keras, to_keras, value_of

# A gradient is a sum of products of rounded numbers, also of differences of large ones.
_GRADIENT_SLACK = 8
# What rounding leaves of products that cancel: epsilon times the norm of their factors.
_CANCELLATION = 2
# Rounding errors of a gradient that is zero in exact arithmetic, in units of epsilon.
_NOISE = 64
# Values below this size are compared as if they had it.
_SMALLEST_SCALE = 1e-3


@dataclasses.dataclass
class ParityReport:
    """How far apart the two packages are.

    Attributes:
        name: of the layer or model.
        differences: {what: largest difference, relative to the largest value}.
        zero_gradients: weights and inputs whose gradient is zero in exact arithmetic,
            so that what both sides give is rounding noise.
        not_compared: {what: why it was left out}.
    """

    name: str
    differences: dict[str, float] = dataclasses.field(default_factory=dict)
    zero_gradients: list[str] = dataclasses.field(default_factory=list)
    not_compared: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest of the differences."""
        return max(self.differences.values(), default=0.0)

    def __str__(self):
        lines = [f"{self.name}: {len(self.differences)} values agree"]
        if self.differences:
            what = max(self.differences, key=lambda key: self.differences[key])
            lines[0] += f", worst {self.worst:.1e} ({what})"
        if self.zero_gradients:
            names = ", ".join(self.zero_gradients)
            lines.append(f"zero in exact arithmetic: {names}")
        lines += [f"not compared: {k}: {v}" for k, v in self.not_compared.items()]
        return "\n".join(lines)


def assert_layer_parity(
    layer: Any,
    inputs: Any,
    *,
    training: bool = False,
    gradients: bool = True,
    rtol: float = 1e-6,
    seed: int = 0,
    kwargs: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
) -> ParityReport:
    """Assert that a layer does the same in both packages, with the same weights.

    Compared are structure, shapes, dtypes and values of the outputs, their masks, added
    losses, the state after the call (moving averages, random generators), and the
    gradients of a random projection of the outputs.

    Args:
        layer: layer of Keras or of minikeras; it is built by a call if it is not yet,
            and keeps its state.
        inputs: array, or tree of arrays, of one batch.
        training: bool, the mode of the call.
        gradients: bool, whether to compare the gradients with respect to floating
            inputs and trainable weights; it needs KERAS_BACKEND=jax.
        rtol: difference that counts as rounding, relative to the largest value. It
            grows with the root of the number of terms in a sum, and with the coarseness
            of half precision.
        seed: int, of the random projection.
        kwargs: further arguments of the call, such as `{"mask": ...}`.
        custom_objects: as in `from_keras`.

    Returns:
        A `ParityReport`.

    Raises:
        AssertionError: something differs; the message says what comes first.
        ValueError: gradients with another backend of Keras.
    """
    keras = _checked_keras("assert_layer_parity", gradients)
    kwargs = dict(kwargs or {}, training=training)
    if not layer.built:
        layer(inputs, **{**kwargs, "training": False})
    pair = _both(layer, custom_objects)
    check = _Check(pair, inputs, rtol)
    _compare_calls(check, pair, keras, (inputs,), kwargs)
    if gradients:
        _compare_projections(check, pair, keras, (inputs,), kwargs, seed)
    return check.report


def assert_model_parity(
    model: Any,
    inputs: Any,
    targets: Any = None,
    *,
    sample_weight: Any = None,
    training: bool = False,
    gradients: bool = True,
    rtol: float = 1e-6,
    seed: int = 0,
    custom_objects: dict[str, Any] | None = None,
) -> ParityReport:
    """Assert that a model does the same in both packages, with the same weights.

    Each of its layers is compared in the order of the calls, from the inputs that it
    gets in Keras, so that the message names the first layer that parts; then what
    `assert_layer_parity` compares, of the whole model.

    Args:
        model: model of Keras or of minikeras; it is built by a call if it is not yet.
        inputs: array, or tree of arrays, of one batch.
        targets: those of the batch; if they are given, the model must be compiled, and
            loss, metrics and the gradients of the loss are compared.
        sample_weight: weights of the samples, or None.
        training: bool, the mode of the call.
        gradients: bool, whether to compare gradients; it needs KERAS_BACKEND=jax.
        rtol: as in `assert_layer_parity`.
        seed: int, of the random projection.
        custom_objects: as in `from_keras`.

    Returns:
        A `ParityReport`.

    Raises:
        AssertionError: something differs; the message says what comes first.
        ValueError: targets for a model that is not compiled, or gradients with another
            backend of Keras.
    """
    keras = _checked_keras("assert_model_parity", gradients)
    if targets is not None and not getattr(model, "compiled", False):
        raise ValueError(
            f"assert_model_parity: {model.name!r} got targets, but is not compiled: "
            "call its compile() with a loss, or leave the targets out."
        )
    if not model.built:
        model(inputs, training=False)
    pair, kwargs = _both(model, custom_objects), {"training": training}
    check = _Check(pair, inputs, rtol)
    _compare_layers(check, pair, keras, inputs, kwargs, rtol)
    _compare_calls(check, pair, keras, (inputs,), kwargs)
    if targets is not None:
        batch = (inputs, targets, sample_weight)
        with _kept(model):
            _compare_metrics(check, pair, batch)
            if gradients:
                _compare_loss_gradients(check, pair, batch, training)
    elif gradients:
        _compare_projections(check, pair, keras, (inputs,), kwargs, seed)
    return check.report


def _checked_keras(name, gradients):
    """The module keras; ValueError if its backend has no gradients for us."""
    keras = real_keras(name)
    if gradients and keras.backend.backend() != "jax":
        raise ValueError(
            f"{name}: gradients of Keras need KERAS_BACKEND=jax, which is set before "
            f"keras is imported; it is {keras.backend.backend()!r}. Set it, or pass "
            "gradients=False."
        )
    return keras


def _both(layer, custom_objects):
    """(the layer of Keras, that of minikeras)."""
    if isinstance(layer, minikeras.layers.Layer):
        return to_keras(layer, custom_objects), layer
    return layer, from_keras(layer, custom_objects)


# -- comparing arrays -----------------------------------------------------------------


class _Check:
    """Compares arrays, raises AssertionError at the first difference, and reports."""

    def __init__(self, pair, inputs, rtol):
        self.title = f"{type(pair[1]).__name__} {pair[1].name!r}"
        self.report = ParityReport(pair[1].name)
        self.paths = [v.path for v in pair[0].trainable_variables]
        layers = _leaves_of(pair[1])
        coarse = max((_epsilon(x.compute_dtype) for x in layers), default=EPSILON)
        self._epsilon = max(coarse, _epsilon(pair[1].compute_dtype))
        self.share = rtol * math.sqrt(_terms(pair[0], inputs))

    def equal(self, what, theirs, ours):
        """AssertionError unless they are equal."""
        if theirs != ours:
            self._fail(f"{what} differs: {theirs} in Keras, {ours} in minikeras")

    def close(self, what, theirs, ours, slack=1.0, noise=0.0, floor=0.0):
        """Compare two arrays of numbers.

        Args:
            what: the name of their values.
            theirs, ours: the arrays.
            slack: how many times the usual tolerance is allowed.
            noise: floats of at most this size may be anything.
            floor: difference that is allowed in any case.
        """
        theirs, ours = np.asarray(theirs), np.asarray(ours)
        self.equal(f"the shape of {what}", theirs.shape, ours.shape)
        self.equal(f"the dtype of {what}", str(theirs.dtype), str(ours.dtype))
        epsilon = max(_epsilon(theirs.dtype.name), self._epsilon, EPSILON) / EPSILON
        tolerance = self.share * slack * epsilon
        if not jnp.issubdtype(theirs.dtype, jnp.inexact):
            tolerance = 0.0
        elif theirs.dtype.kind == "V" or theirs.dtype.itemsize < 4:
            theirs, ours = theirs.astype("float32"), ours.astype("float32")
        gap = apart(theirs, ours, _SMALLEST_SCALE)
        if tolerance and floor:
            scale = max(size(theirs), size(ours), _SMALLEST_SCALE)
            tolerance = max(tolerance, floor * epsilon / scale)
        if gap > tolerance and max(size(theirs), size(ours)) <= noise * epsilon:
            self.report.zero_gradients.append(what.removeprefix("the gradient of "))
        elif gap > tolerance:
            self._fail(
                f"{what} differs: {worst_element(theirs, ours)} (there: Keras, here: "
                f"minikeras); the relative difference is {gap:.2e}, the tolerance "
                f"{tolerance:.2e}"
            )
        else:
            self.report.differences[what] = gap

    def trees(self, what, theirs, ours, **settings):
        """Compare two trees of arrays."""
        theirs, ours = map(jax.tree_util.tree_flatten_with_path, (theirs, ours))
        self.equal(f"the structure of {what}", theirs[1], ours[1])
        for (path, a), (_, b) in zip(theirs[0], ours[0], strict=True):
            self.close(f"{what}{jax.tree_util.keystr(path)}", a, b, **settings)

    def _fail(self, message):
        raise AssertionError(f"{self.title}: {message}.")


def _epsilon(dtype):
    """Machine epsilon of a floating dtype, else 0."""
    try:
        known = jnp.issubdtype(dtype, jnp.floating)
    except TypeError:  # "string"
        return 0.0
    return float(jnp.finfo(dtype).eps) if known else 0.0


def _terms(layer, inputs):
    """About how many terms are added up on the way to an output or gradient."""
    weights = sum(math.prod(v.shape[:-1]) for v in layer.trainable_variables)
    shapes = [np.shape(x) for x in jax.tree_util.tree_leaves(inputs)]
    return 1 + weights + max((math.prod(s[:-1]) for s in shapes), default=0)


# -- forward --------------------------------------------------------------------------


def _run(package, layer, args, kwargs, trainable=None):
    """(outputs, {path: new state}, added losses) of a call that changes nothing."""
    others = [(v, v.value) for v in layer.non_trainable_variables]
    own = layer.trainable_variables
    values = [v.value for v in own] if trainable is None else trainable
    mapping = [*zip(own, values, strict=True), *others]
    with package.StatelessScope(mapping, collect_losses=True) as scope:
        outputs = layer(*args, **kwargs)
        losses = list(layer.losses)
    return outputs, [scope.get_current_value(v) for v, _ in others], losses


def _arrays(package, tree):
    """The tree with NumPy arrays."""
    convert = np.asarray if package is minikeras else package.ops.convert_to_numpy
    return jax.tree_util.tree_map(convert, tree)


def _masks(outputs):
    """The masks of the outputs, a list."""
    leaves = jax.tree_util.tree_leaves(outputs)
    return [getattr(x, "_keras_mask", None) for x in leaves]


def _compare_calls(check, pair, keras, args, kwargs):
    """Outputs, masks, losses and states."""
    (theirs, *_), (ours, *_) = found = [
        _run(package, layer, args, kwargs)
        for package, layer in zip((keras, minikeras), pair, strict=True)
    ]
    masks = _arrays(keras, _masks(theirs)), _arrays(minikeras, _masks(ours))
    theirs, ours = _arrays(keras, found[0]), _arrays(minikeras, found[1])
    check.trees("the output", theirs[0], ours[0])
    check.trees("the mask of the output", *masks)
    check.equal("the number of added losses", len(theirs[2]), len(ours[2]))
    check.trees("the added loss", theirs[2], ours[2])
    paths = [v.path for v in pair[0].non_trainable_variables]
    for path, a, b in zip(paths, theirs[1], ours[1], strict=True):
        check.close(f"the state {path} after the call", a, b)


def _compare_layers(check, pair, keras, inputs, kwargs, rtol):
    """The outputs of each layer, from the inputs that it gets in Keras."""
    layers = [_leaves_of(model) for model in pair]
    names = [[layer.name for layer in part] for part in layers]
    check.equal("the list of layers", *names)
    calls: list[list] = [[] for _ in layers[0]]

    def record(number, args, outputs):
        calls[number].append((args, outputs))
        return outputs

    def compare(number, args, outputs):
        if not calls[number]:
            return outputs
        given, expected = calls[number].pop(0)
        one = _Check([part[number] for part in layers], given, rtol)
        one.title = f"{check.title}, layer {one.title}"
        theirs, ours = _arrays(keras, expected), _arrays(minikeras, outputs)
        one.trees(what := f"the output of {names[0][number]}", theirs, ours)
        check.report.differences |= {what: one.report.worst}
        # Ours goes on with the outputs of Keras.
        return jax.tree_util.tree_map(
            lambda x, y: y if x is None else jnp.asarray(x), theirs, outputs
        )

    with _watched(layers[0], record):
        _run(keras, pair[0], (inputs,), kwargs)
    with _watched(layers[1], compare):
        _run(minikeras, pair[1], (inputs,), kwargs)


def _leaves_of(model):
    """The layers of a model that are no models; [] of a layer."""
    found = {}
    for layer in getattr(model, "layers", ()):
        nested = getattr(layer, "layers", None) and hasattr(layer, "compile")
        found |= {id(x): x for x in ([layer] if not nested else _leaves_of(layer))}
    return list(found.values())


@contextlib.contextmanager
def _watched(layers, watch):
    """Within, `watch(number, args, outputs)` gives the outputs of each layer's call."""

    def watched(number, call):
        @functools.wraps(call)
        def run(*args, **kwargs):
            outputs = call(*args, **kwargs)
            leaves = jax.tree_util.tree_leaves((args, outputs))
            # A tracer is a value in the body of a loop, or of a compiled function.
            if any(isinstance(x, jax.core.Tracer) for x in leaves):
                return outputs
            return watch(number, args, outputs)

        return run

    try:
        for number, layer in enumerate(layers):
            # Past `__setattr__`, which tracks what layers hold.
            vars(layer)["call"] = watched(number, layer.call)
        yield
    finally:
        for layer in layers:
            vars(layer).pop("call", None)


# -- gradients ------------------------------------------------------------------------


def _is_float(x):
    return hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating)


def _compare_projections(check, pair, keras, args, kwargs, seed):
    """Gradients of a random projection of the outputs."""
    sides = list(zip((keras, minikeras), pair, strict=True))
    try:
        found = [_projected(*sides[0], args, kwargs, seed)]
    except Exception as error:  # Keras has no gradient here, so there is none to equal
        reason = f"Keras raises {type(error).__name__}: {str(error)[:200]}"
        check.report.not_compared["gradients"] = reason
        return
    found.append(_projected(*sides[1], args, kwargs, seed))
    (theirs, cotangent), (ours, _) = found
    if not cotangent.size:
        check.report.not_compared["gradients"] = "no output is floating"
        return
    leaves = jax.tree_util.tree_leaves((args, kwargs))
    largest = max((size(np.asarray(x)) for x in leaves if _is_float(x)), default=0.0)
    unit = EPSILON * max(largest, 1.0)
    settings = {
        "slack": _GRADIENT_SLACK,
        "noise": _NOISE * unit * np.abs(cotangent).sum(),
        "floor": _CANCELLATION * unit * np.linalg.norm(cotangent),
    }
    for path, a, b in zip(check.paths, theirs[0], ours[0], strict=True):
        check.close(f"the gradient of {path}", a, b, **settings)
    check.trees("the gradient of the inputs", theirs[1], ours[1], **settings)


def _projected(package, layer, args, kwargs, seed):
    """((gradients of weights, of inputs), cotangents as one array)."""
    leaves, nest = jax.tree_util.tree_flatten((args, kwargs))
    leaves = [jnp.asarray(x) if _is_float(x) else x for x in leaves]
    cotangents = []

    def project(trainable, floats):
        rest, rng = iter(floats), np.random.default_rng(seed)
        filled = [next(rest) if _is_float(x) else x for x in leaves]
        args, kwargs = nest.unflatten(filled)
        outputs, _, _ = _run(package, layer, args, kwargs, trainable)
        total = jnp.float32(0)
        for y in filter(_is_float, jax.tree_util.tree_leaves(outputs)):
            cotangent = rng.normal(size=y.shape)
            cotangents.append(cotangent.ravel())
            total += (y.astype("float32") * cotangent.astype("float32")).sum()
        return total

    weights = [v.value for v in layer.trainable_variables]
    gradients = jax.grad(project, (0, 1))(weights, [x for x in leaves if _is_float(x)])
    all_cotangents = np.concatenate([np.zeros(0), *cotangents])
    return jax.tree_util.tree_map(np.asarray, gradients), all_cotangents


# -- loss and metrics -----------------------------------------------------------------


@contextlib.contextmanager
def _kept(model):
    """Give the Variables of a model back their values at the end."""
    values = [value_of(v) for v in model.variables]
    try:
        yield
    finally:
        for variable, value in zip(model.variables, values, strict=True):
            variable.assign(value)
        model.reset_metrics()


def _compare_metrics(check, pair, batch):
    """Loss and metrics of `test_on_batch`."""
    x, y, weights = batch
    found = []
    for model in pair:
        model.reset_metrics()
        found.append(model.test_on_batch(x, y, sample_weight=weights, return_dict=True))
    theirs, ours = found
    check.equal("the list of metrics", list(theirs), list(ours))
    for name, value in theirs.items():
        other = np.asarray(ours[name], "float32")
        check.close(f"the metric {name}", np.asarray(value, "float32"), other)


def _compare_loss_gradients(check, pair, batch, training):
    """The loss and its gradients with respect to the weights."""
    found = [_loss_gradients(model, batch, training) for model in pair]
    (loss, theirs), (own_loss, ours) = found
    check.close("the loss", loss, own_loss)
    noise = _NOISE * EPSILON * max(size(loss), 1.0)
    largest = [size(np.asarray(x)) for x in jax.tree_util.tree_leaves(batch[0])]
    settings = {"slack": _GRADIENT_SLACK, "noise": noise * max([1.0, *largest])}
    for path, a, b in zip(check.paths, theirs, ours, strict=True):
        check.close(f"the gradient of {path}", a, b, **settings)


def _loss_gradients(model, batch, training):
    """(loss, [gradients]) as NumPy arrays; of the scaled loss where there is one."""
    groups = (
        *(model.trainable_variables, model.non_trainable_variables),
        *(
            model.metrics_variables,
            model.optimizer.variables if model.optimizer else (),
        ),
    )
    trainable, others, metrics, slots = ([v.value for v in part] for part in groups)

    def loss(trainable):
        return model.compute_loss_and_updates(
            trainable, others, metrics, *batch, training, slots
        )[0]

    value, gradients = jax.value_and_grad(loss)(trainable)
    return np.asarray(value), [np.asarray(x) for x in gradients]
