"""Each function of the stand-in against what TensorFlow 2.21 gave for the same call.

`tensorflow_values.json` was recorded by running TensorFlow: {call: [[dtype, values,
shape] of each tensor in the result]}.
"""

import json
import pathlib
import re

import jax
import numpy as np
import pytest

import minikeras
from minikeras.core.keras_tensor import KerasTensor
from minikeras.legacy import tensorflow as package
from minikeras.legacy.tensorflow import tensors
from minikeras.legacy.tensorflow.types import SizeArray

FILE = pathlib.Path(__file__).parent / "tensorflow_values.json"
VALUES = json.loads(FILE.read_text())
# 64 bits become 32: JAX has no others unless it is told so.
NARROW = {"int64": "int32", "float64": "float32"}


class TF:
    """The names of the stand-in as `import tensorflow` gives them."""

    def __init__(self, prefix=""):
        self.prefix = prefix

    def __getattr__(self, name):
        full = f"{self.prefix}{name}"
        if full in package.NAMESPACES:
            return TF(f"{full}.")
        space = package.NAMESPACES[self.prefix[:-1]] if self.prefix else package
        return getattr(space, name)


def inputs():
    r = np.random.RandomState(7)

    def floats(*shape):
        return (r.randn(*shape) * 1.5).astype("float32")

    found = {"x": floats(2, 3), "y": floats(2, 3), "t": floats(2, 3, 4)}
    found["q"] = (floats(3, 3) + 3 * np.eye(3)).astype("float32")
    found |= {"im": floats(2, 5, 6, 3), "ker": floats(3, 2, 3, 2)}
    found["pw"] = floats(1, 1, 6, 4)
    found["big"] = r.rand(1, 14, 13, 2).astype("float32")
    found["unit"] = r.rand(1, 3, 4, 3).astype("float32")
    found["u8"] = r.randint(0, 256, (2, 3, 4, 3)).astype("uint8")
    found["m"] = r.randint(1, 9, (2, 3)).astype("int32")
    return {name: jax.numpy.asarray(x) for name, x in found.items()}


INPUTS = inputs()


def evaluate(call, values):
    return eval(call, {"tf": TF(), "np": np, **values})


def check(call, found):
    leaves = minikeras.tree.flatten(found)
    assert len(leaves) == len(VALUES[call])
    for leaf, (dtype, values, shape) in zip(leaves, VALUES[call], strict=True):
        array = np.asarray(leaf)
        assert list(array.shape) == shape
        if dtype == "object" or dtype.startswith("str"):
            texts = [s.decode() if isinstance(s, bytes) else s for s in array.ravel()]
            assert texts == values
            continue
        if isinstance(leaf, (jax.Array, SizeArray)):
            assert array.dtype.name == NARROW.get(dtype, dtype)
        if dtype == "complex64":
            values = [complex(*pair) for pair in values]
        expected = np.array(values).reshape(shape)
        if array.dtype == "uint8":  # 1 where floats round to the other side
            assert np.abs(array.astype(int) - expected).max() <= 1
            continue
        # TensorFlow reads the weights of bicubic resizing from a table of 1024.
        atol = 4e-3 if "bicubic" in call else 2e-5
        np.testing.assert_allclose(array, expected, 1e-4, atol)


# What needs values: sizes of results, text, functions that run in Python.
EAGER = (
    "boolean_mask unique tf.where(x > 0.4) dynamic_ strings. bincount confusion_matrix "
    "segment_max segment_min segment_sum(x segment_mean area sequence_mask([1,_3]) "
    'TensorShape as_dtype .max_ as_numpy [["a"] ["a", tf.int32.max is_floating'
).split()
EAGER = [text.replace("_3", " 3") for text in EAGER]
COMPILED = [call for call in VALUES if not any(text in call for text in EAGER)]
USED = {call: [n for n in INPUTS if re.search(rf"\b{n}\b", call)] for call in COMPILED}
SYMBOLIC = [call for call in COMPILED if USED[call] and "lambda" not in call]


_FAST = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}


@pytest.mark.parametrize("start", range(0, len(COMPILED), 20))
def test_compiled(start):
    """20 calls in one compiled function of the inputs."""
    calls = COMPILED[start : start + 20]
    run = jax.jit(lambda values: {c: evaluate(c, values) for c in calls})
    found = run.lower(INPUTS).compile(_FAST)(INPUTS)
    for call in calls:
        check(call, found[call])


@pytest.mark.parametrize("call", [call for call in VALUES if call not in COMPILED])
def test_eager(call):
    check(call, evaluate(call, INPUTS))


@pytest.mark.parametrize("call", COMPILED[::40])
def test_eager_and_compiled(call):
    check(call, evaluate(call, INPUTS))


@pytest.mark.parametrize("call", SYMBOLIC)
def test_symbolic(call):
    """On KerasTensors: shapes and dtypes."""
    found = evaluate(call, symbolic_inputs())
    leaves = jax.tree_util.tree_leaves(found)
    for leaf, (dtype, _, shape) in zip(leaves, VALUES[call], strict=True):
        assert list(leaf.shape) == shape
        if isinstance(leaf, KerasTensor):
            assert leaf.dtype == NARROW.get(dtype, dtype)


@pytest.fixture(autouse=True)
def methods():
    """TensorFlow's methods on arrays, as under `install_as_keras()`."""
    tensors.install()
    yield
    tensors.remove()


def symbolic_inputs():
    return {
        name: minikeras.Input(batch_shape=x.shape, dtype=x.dtype.name, name=name)
        for name, x in INPUTS.items()
    }


@pytest.mark.parametrize("call", SYMBOLIC[::60])
def test_values_of_a_model(call):
    inputs = symbolic_inputs()
    model = minikeras.Model(inputs, minikeras.tree.flatten(evaluate(call, inputs)))
    check(call, model(INPUTS))
