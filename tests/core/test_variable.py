"""Variable: operators, assignment, casting; unique paths."""

import operator
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import name_scope
from minikeras.core.functional import Frame
from minikeras.core.variable import Variable, convert_to_tensor, unique_paths

A = np.array([[3.0, -2.0, 0.5], [1.0, 4.0, -6.0]], "float32")
B = np.array([[2.0, 0.5, -1.0], [3.0, -2.0, 4.0]], "float32")
BINARY = "add sub mul truediv floordiv mod pow eq ne lt le gt ge".split()


@pytest.mark.parametrize("name", BINARY)
def test_binary_operators(name):
    function = getattr(operator, name)
    base = np.abs(A) if name == "pow" else A
    for left, right in (
        (Variable(base), B),
        (base, Variable(B)),
        (Variable(base), Variable(B)),
        (Variable(base), jnp.asarray(B)),
        (Variable(base), B.tolist()),
    ):
        np.testing.assert_allclose(function(left, right), function(base, B), rtol=1e-6)


def test_logic_matmul_and_unary_operators():
    a, b = A > 0, B > 0
    for function in (operator.and_, operator.or_, operator.xor):
        np.testing.assert_array_equal(function(Variable(a), b), function(a, b))
    np.testing.assert_array_equal(~Variable(a), ~a)
    np.testing.assert_allclose(Variable(A) @ B.T, A @ B.T)
    np.testing.assert_allclose(A.T @ Variable(B), A.T @ B)
    np.testing.assert_array_equal(-Variable(A), -A)
    np.testing.assert_array_equal(abs(Variable(A)), abs(A))


def test_as_python_and_numpy():
    v = Variable(A)
    np.testing.assert_array_equal(v[1, :2], A[1, :2])
    np.testing.assert_array_equal(np.asarray(v), A)
    assert len(v) == 2 and v.ndim == 2 and v.shape == (2, 3) and v.dtype == "float32"
    assert [row.tolist() for row in v] == A.tolist()
    assert int(Variable(3)) == 3 and float(Variable(0.5)) == 0.5
    assert bool(Variable(True)) and list(range(9))[Variable(4)] == 4
    assert {v: 1}[v] == 1
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(v)).value, A)


def test_assign():
    v = Variable(A, name="v")
    v.assign_add(B)
    np.testing.assert_array_equal(v.value, A + B)
    v.assign_sub(B)
    np.testing.assert_allclose(v.value, A, atol=1e-6)
    v.assign(B.astype("float64"))
    assert v.value.dtype == "float32"
    with pytest.raises(ValueError, match=r"v.*\(2,\).*\(2, 3\)"):
        v.assign([1.0, 2.0])
    np.testing.assert_array_equal(v.value, B)


def test_a_variable_does_not_share_the_array_it_was_made_from():
    array = jnp.asarray(A)
    v = Variable(array)
    jax.jit(lambda x: x + 1, donate_argnums=0)(v.value)
    np.testing.assert_array_equal(array, A)


@pytest.mark.parametrize(
    "arguments, pattern",
    [
        ({"initializer": "zeros"}, "shape"),
        ({"initializer": A, "shape": (3, 2)}, r"\(3, 2\).*\(2, 3\)"),
        ({"initializer": A, "name": "a/b"}, "'/'"),
        ({"initializer": A, "aggregation": "median"}, "aggregation"),
        ({"initializer": lambda shape, dtype: A}, "shape"),
    ],
)
def test_refused(arguments, pattern):
    with pytest.raises(ValueError, match=pattern):
        Variable(**arguments)


def test_autocast_reads_floats_in_the_compute_dtype():
    v, fixed = Variable(A), Variable(A, autocast=False)
    whole = Variable(np.array([1, 2]))
    with Frame(autocast="bfloat16"):
        assert v.value.dtype == "bfloat16" and (v + 1).dtype == "bfloat16"
        assert fixed.value.dtype == "float32" and whole.value.dtype == "int32"
        v.assign(B)
    assert v.value.dtype == "float32" and v.dtype == "float32"


def test_paths():
    with name_scope("outer"):
        with name_scope("inner"):
            v = Variable(1.0, name="v")
        w = Variable(1.0, name="w")
    assert (v.path, w.path) == ("outer/inner/v", "outer/w")
    again = [Variable(1.0, name="w") for _ in range(3)]
    assert list(unique_paths([w, *again])) == ["outer/w", "w", "w_1", "w_2"]


def test_initializer_inside_a_trace_gives_an_array():
    made = []

    @jax.jit
    def run(x):
        made.append(Variable("glorot_uniform", shape=(2, 3)))
        return x * 2

    run(1.0)
    assert not isinstance(made[0].value, jax.core.Tracer)


@pytest.mark.parametrize(
    "x, dtype",
    [
        (1, "int32"),
        (1.5, "float32"),
        (True, "bool"),
        ([1, 2.0], "float32"),
        (np.float64(1), "float32"),
        (np.arange(2), "int32"),
        ([], "float32"),
    ],
)
def test_convert_to_tensor(x, dtype):
    assert convert_to_tensor(x).dtype == dtype


def test_memory_is_the_variables_own():
    """On a CPU, JAX may share a numpy array's memory, by its alignment."""
    memory = np.zeros(512, "uint8")
    for offset in range(0, 64, 4):
        start = -memory.ctypes.data % 64 + offset
        given = memory[start : start + 256].view("float32")
        given[:] = 1.0
        made, assigned = Variable(given), Variable(np.zeros(64, "float32"))
        assigned.assign(given)
        taken = made.numpy()
        given[:], taken[:] = 2.0, 3.0
        assert (made.numpy() == 1.0).all() and (assigned.numpy() == 1.0).all()
