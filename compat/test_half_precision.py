"""Layers in half precision against Keras, on values that half floats hold badly."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.layer_cases import DRAWS, generated
from compat.test_layers_parity import is_float, parameters, ramp, state

PACKAGES = (keras, minikeras)
POLICIES = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")
# What becomes of the drawn floats, which lie around 0 and are a few units large.
VALUES = {
    "large": lambda x: x * (60_000 / max(np.abs(x).max(initial=0), 1)),
    "tiny": lambda x: 1e-4 * x,
    "offset": lambda x: 300 + 0.1 * x,
}
FAST = {
    *("BatchNormalization", "GroupNormalization", "LayerNormalization"),
    *("Softmax", "GlobalAveragePooling1D", "Dense"),
}
# With no other weights than scores below a softmax, whose slopes are differences of
# outputs: the outputs' rounding is theirs.
ONLY_SCORES = {"AdditiveAttention"}
UNITS = 4  # how many roundings an entry may differ by: layers of several steps add up


def rows():
    """(layer, policy) as parameters; one policy of the fast layers is not slow."""
    names = list(DRAWS)
    return [
        pytest.param(
            *(name, policy),
            marks=[]
            if name in FAST and i == names.index(name) % 2
            else [pytest.mark.slow],
        )
        for name in names
        for i, policy in enumerate(POLICIES)
    ]


def step_of(package, name, case, policy):
    """(layer, `step(floats)` -> outputs, gradients of weights and of the floats)."""
    package.utils.clear_session()
    package.utils.set_random_seed(3)
    arguments = {**case.arguments(package), "dtype": policy}
    layer = getattr(package.layers, name)(**arguments)
    given = dict(case.call)
    if "training" in parameters(layer):
        given["training"] = True
    layer(case.inputs, **given)
    leaves, nest = jax.tree_util.tree_flatten(case.inputs)
    trainable, others = state(layer)
    variables = layer.trainable_variables + layer.non_trainable_variables

    def loss(trainable, floats):
        rest = iter(floats)
        inputs = nest.unflatten([next(rest) if is_float(x) else x for x in leaves])
        # Not `stateless_call`: in Keras as in ours it casts no inputs.
        values = zip(variables, (*trainable, *others), strict=True)
        with package.StatelessScope(state_mapping=list(values)) as scope:
            y = layer(inputs, **given)
        new = [scope.get_current_value(v) for v in layer.non_trainable_variables]
        outs = [leaf for leaf in jax.tree_util.tree_leaves(y) if is_float(leaf)]
        total = sum(jnp.sum(ramp(o.shape) * o.astype("float32")) for o in outs)
        return total, (y, new)

    slopes = jax.jit(jax.grad(loss, (0, 1), has_aux=True))
    return layer, lambda floats: slopes(trainable, floats)


def assert_as_good(ours, theirs, tolerance, least):
    """Equal dtypes; equal values wherever Keras's are finite."""
    assert str(ours.dtype) == str(theirs.dtype), (ours.dtype, theirs.dtype)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    ours, theirs = (np.asarray(x).astype("float64") for x in (ours, theirs))
    finite = np.isfinite(theirs)
    scale = np.max(np.abs(theirs), initial=least, where=finite)
    np.testing.assert_allclose(
        ours[finite], theirs[finite], rtol=tolerance, atol=tolerance * scale
    )


def size(tree):
    """The largest finite entry of a nest of arrays."""
    arrays = [np.asarray(x).astype("float64") for x in jax.tree_util.tree_leaves(tree)]
    entries = (np.max(np.abs(x), initial=0, where=np.isfinite(x)) for x in arrays)
    return max(entries, default=0)


def assert_equal_trees(ours, theirs, tolerance, only_scores):
    """(gradients, outputs and state).

    Slopes that are 0 in truth, such as those of scores below a softmax, come out as
    rounding of the other slopes: these say how much that may be.
    """
    floors = (max(1e-2, size(theirs if only_scores else theirs[0])), 1e-6)
    for a, b, least in zip(ours, theirs, floors, strict=True):
        a, b = map(jax.tree_util.tree_leaves, (a, b))
        for mine, other in zip(a, b, strict=True):
            assert_as_good(mine, other, tolerance, least)


@pytest.mark.parametrize(("name", "policy"), rows())
def test_values_that_half_floats_hold_badly(name, policy):
    case = generated(name, 0)
    (theirs, their_step), (ours, our_step) = draw.both(
        lambda package: step_of(package, name, case, policy), PACKAGES
    )
    assert ours.autocast == theirs.autocast
    assert [v.dtype for v in ours.weights] == [v.dtype for v in theirs.weights]
    assert ours.compute_dtype == theirs.compute_dtype
    half = ours.compute_dtype
    leaves = [x for x in jax.tree_util.tree_leaves(case.inputs) if is_float(x)]
    tolerance = UNITS * draw.TOLERANCE[half]
    for kind, change in VALUES.items():
        for dtype in ("float32", half):
            floats = [jnp.asarray(change(x), dtype) for x in leaves]
            found = our_step(floats)
            expected, refused = draw.outcome(their_step, floats)
            if isinstance(refused, TypeError) and "type" in str(refused):
                pytest.skip(f"Keras mixes dtypes: {str(refused)[:80]}")
            assert refused is None, refused
            try:
                assert_equal_trees(found, expected, tolerance, name in ONLY_SCORES)
            except AssertionError as error:
                error.add_note(f"{kind} values, inputs of dtype {dtype}")
                raise
