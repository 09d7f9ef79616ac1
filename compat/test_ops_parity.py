"""`keras.ops` against Keras on generated calls: values, gradients, symbolic shapes.

A call is drawn from (name, seed), which stand in the test's id.
"""

import os
import re
from types import SimpleNamespace

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat import draw, test_image_parity
from compat.ops_calls import gradient, is_array, leaves, program, taken
from compat.ops_cases import DRAWS, Draw, corrupted, generated

PACKAGES = (keras, minikeras)
COUNT = 18  # calls of each function
# Keras 3.15.1 is wrong here: it sums running sums, and its result does not sum to 1.
WRONG_VALUES = {"sparsemax"}
ANY_VALUES = {"empty", "empty_like"}
NO_GRADIENT = set("nextafter eig svd lu_factor matrix_rank lstsq qr while_loop".split())


@pytest.mark.parametrize(("name", "seed"), draw.cases(DRAWS, COUNT))
def test_values_and_gradients(name, seed):
    """Equal programs give equal values and gradients; others are run."""
    if name in WRONG_VALUES:
        pytest.skip("Keras is wrong here")
    args, kwargs = generated(name, seed)
    arrays = [x for x in leaves((args, kwargs)) if is_array(x)]
    programs = [program(p, name, args, kwargs, arrays) for p in PACKAGES]
    if programs[0] is not None and programs[0] == programs[1]:
        return
    results = draw.both(
        lambda p: leaves(taken(p, name, args, kwargs, arrays)), PACKAGES
    )
    if results is None:
        pytest.skip("both refuse the call")
    theirs, ours = results
    assert len(ours) == len(theirs)
    longest = max([1, *(size for x in arrays for size in x.shape)])
    for a, b in zip(ours, theirs, strict=True):
        if name in ANY_VALUES:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
        else:
            draw.assert_close(a, b, reduction=longest)
    if programs[0] is None or name in NO_GRADIENT or not arrays:
        return
    if arrays[0].dtype == "float32":
        theirs, ours = (gradient(p, name, args, kwargs, arrays) for p in PACKAGES)
        if name in FORMULAS:
            theirs = nearer(ours, theirs, exact_gradient(name, args, kwargs, arrays))
        draw.assert_close(ours, theirs, rtol=1e-5)


def layer_normalization(x, gamma=1.0, beta=0.0, axis=-1, epsilon=1e-7):
    """By its definition, for float64."""
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    sizes = [
        x.shape[a] if a - x.ndim in axes or a in axes else 1 for a in range(x.ndim)
    ]
    centered = x - jnp.mean(x, axes, keepdims=True)
    variance = jnp.mean(centered**2, axes, keepdims=True)
    gamma, beta = (
        jnp.reshape(w, sizes) if np.size(w) > 1 else w for w in (gamma, beta)
    )
    return centered / jnp.sqrt(variance + epsilon) * gamma + beta


# Of these our gradients may be rounded otherwise than Keras's, if they are as exact.
FORMULAS = {"layer_normalization": layer_normalization}


def exact_gradient(name, args, kwargs, arrays):
    """In float64, rounded to float32."""
    package = SimpleNamespace(ops=SimpleNamespace(**FORMULAS))
    wide = [x.astype("float64") if x.dtype.kind == "f" else x for x in arrays]
    with jax.enable_x64():
        found = gradient(package, name, args, kwargs, wide)
    assert found.dtype == "float64"
    return np.asarray(found, "float32")


def nearer(ours, theirs, exact):
    """Of Keras's gradient and the exact one, that which ours has to equal."""
    from_theirs, from_exact = (np.abs(ours - x).max(initial=0) for x in (theirs, exact))
    return theirs if from_theirs <= from_exact else exact


def specs(package, name, args, kwargs, tensors):
    symbols = [package.KerasTensor(shape, dtype) for shape, dtype in tensors]
    out = leaves(taken(package, name, args, kwargs, symbols))
    return [(tuple(y.shape), str(y.dtype)) for y in out if hasattr(y, "shape")]


def fits(specs, results):
    """Do the shapes and dtypes hold for what was computed?"""
    return len(specs) == len(results) and all(
        dtype == str(y.dtype)
        and len(shape) == np.ndim(y)
        and all(a in (None, b) for a, b in zip(shape, np.shape(y), strict=True))
        for (shape, dtype), y in zip(specs, results, strict=True)
    )


def sharper(ours, theirs):
    """Do ours say the same, with sizes where theirs have None?"""
    return len(ours) == len(theirs) and all(
        len(a) == len(b) and all(y in (None, x) for x, y in zip(a, b, strict=True))
        for (a, _), (b, _) in zip(ours, theirs, strict=True)
    )


# They take functions, which see arrays, or say what they know without an array.
NOT_SYMBOLIC = set(
    """custom_gradient vectorize jvp cond shape ndim dtype is_tensor convert_to_numpy
    array convert_to_tensor""".split()
)
KERNELS = ("conv", "conv_transpose", "pool")  # their other arrays are weights
SYMBOLIC = [name for name in DRAWS if name not in NOT_SYMBOLIC]


@pytest.mark.parametrize(("name", "seed"), draw.cases(SYMBOLIC, COUNT))
def test_symbolic_shapes(name, seed):
    """Ours are Keras's; where they differ, only ours hold or ours say more."""
    args, kwargs = generated(name, seed)
    arrays = [x for x in leaves((args, kwargs)) if is_array(x)]
    if not arrays:
        pytest.skip("no input")
    d = Draw("spec", name, seed)
    tensors = [(list(x.shape), x.dtype.name) for x in arrays]
    for shape, _ in tensors[:1] if name.endswith(KERNELS) else tensors:
        if shape and shape[0] > 1 and d.chance(0.4):
            shape[0] = None
    theirs, refused = draw.outcome(specs, keras, name, args, kwargs, tensors)
    if refused is not None:
        pytest.skip("Keras refuses the call")
    ours, error = draw.outcome(specs, minikeras, name, args, kwargs, tensors)
    if ours == theirs:
        return
    results, too = draw.outcome(taken, minikeras, name, args, kwargs, arrays)
    if error is not None and too is not None:
        pytest.skip("no arrays that it would compute")
    assert error is None, error
    results = leaves(results)
    assert fits(ours, results), (ours, theirs, [np.shape(y) for y in results])
    assert not fits(theirs, results) or sharper(ours, theirs), (ours, theirs)


# Their results change with the sizes that are not known; a spec says as Keras's does.
BY_SIZE = {"size", "squeeze"}


@pytest.mark.parametrize(("name", "seed"), draw.cases(SYMBOLIC, 3))
def test_several_unknown_sizes(name, seed):
    """What Keras takes with unknown sizes anywhere, ours takes, and its specs hold."""
    args, kwargs = generated(name, seed)
    arrays = [x for x in leaves((args, kwargs)) if is_array(x)]
    d = Draw("unknown", name, seed)
    tensors = [(list(x.shape), x.dtype.name) for x in arrays]
    for shape, _ in tensors[:1] if name.endswith(KERNELS) else tensors:
        for axis in range(len(shape)):
            if d.chance(0.6) and not name.endswith(KERNELS):
                shape[axis] = None
    results, refused = draw.outcome(taken, minikeras, name, args, kwargs, arrays)
    if refused is not None or not any(None in shape for shape, _ in tensors):
        pytest.skip("no unknown size, or nothing to compute")
    ours, error = draw.outcome(specs, minikeras, name, args, kwargs, tensors)
    if error is not None:
        _, theirs = draw.outcome(specs, keras, name, args, kwargs, tensors)
        assert theirs is not None, error
        assert not re.search(r"\b(5040|10080|30240)\b", str(error))
        return
    results = [y for y in leaves(results) if hasattr(y, "dtype")]
    assert name in BY_SIZE or fits(ours, results), ours


# Ours clip an index, broadcast weights, promote unequal dtypes and flatten matrices.
LENIENT = {"get_item", "layer_normalization", "conv_transpose", "meshgrid"}


@pytest.mark.parametrize(("name", "seed"), draw.cases(DRAWS, 6))
def test_bad_arguments(name, seed):
    """What Keras refuses is refused by an error of its kind that shows the call."""
    call = corrupted(name, seed)
    if call is None or name in LENIENT:
        pytest.skip("nothing to spoil")
    args, kwargs = call
    _, refused = draw.outcome(getattr(keras.ops, name), *args, **kwargs)
    if refused is None:
        pytest.skip("Keras takes it")
    _, error = draw.outcome(getattr(minikeras.ops, name), *args, **kwargs)
    assert error is not None, f"Keras raises {refused!r}"
    if isinstance(refused, (ValueError, TypeError)):
        assert isinstance(error, (ValueError, TypeError)), repr(error)
    if hasattr(getattr(minikeras.ops, name), "class_name"):
        assert "Called: " in str(error)


def test_every_function_has_draws():
    names = {n for n in dir(keras.ops) if callable(getattr(keras.ops, n))}
    names = {n for n in names if not n.startswith("_")}
    assert names - set(DRAWS) - set(test_image_parity.CASES) == set()


def test_there_are_enough_calls():
    assert COUNT * len(DRAWS) >= 5000
