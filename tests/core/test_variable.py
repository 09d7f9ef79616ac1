"""Variable: operators, assignment, casting; unique paths."""

import operator
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import StatelessScope, config, layers, name_scope, random
from minikeras.core.bridge import Frame
from minikeras.core.variable import Variable, convert_to_tensor, unique_paths
from minikeras.utils import clear_session

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
        for dtype in ("float16", "bfloat16", "int8", "uint32", "complex64"):
            x = Variable(a, dtype=dtype)
            for result in (function(x, b), function(x, x), function(True, x)):
                assert result.dtype == "bool"
            np.testing.assert_array_equal(function(x, b), function(a, b))
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
    assert list(range(9))[Variable(4)] == 4
    with pytest.raises(TypeError, match=r"boolean.*variable\.value"):
        bool(Variable(True))
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
        ({"initializer": A, "name": "a/b"}, "'a/b'"),
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


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32", "uint8"])
def test_round(dtype):
    v = Variable([1.0, 12.0, 25.0], dtype=dtype)
    assert round(v).tolist() == [1.0, 12.0, 25.0] and round(v).dtype == dtype
    assert round(Variable([1.25, 3.5])).tolist() == [1.0, 4.0]
    np.testing.assert_allclose(round(Variable([1.2543]), 2), [1.25], rtol=1e-6)


def test_what_is_set_on_it_is_checked():
    v = Variable(A)
    v.regularizer = v.constraint = abs
    assert v.regularizer is v.constraint is abs
    v.regularizer = None
    for name in ("regularizer", "constraint"):
        with pytest.raises(ValueError, match=f"`{name}`"):
            setattr(v, name, "l2")
    with pytest.raises(TypeError, match="must be a boolean"):
        v.overwrite_with_gradient = 1


def test_made_in_a_stateless_scope():
    """Its first value comes when the outermost scope is left."""
    draws = []

    def initializer(shape, dtype):
        draws.append(shape)
        return random.normal(shape, dtype=dtype, seed=3)

    with StatelessScope() as outer:
        with StatelessScope():
            v = Variable(initializer, shape=(2, 3), name="v")
        assert v.shape == (2, 3) and v.ndim == 2 and v.dtype == "float32"
        assert draws == []
        assert repr(v) == "<Variable path=v, shape=(2, 3), dtype=float32>"
        read = v + 1
        v.assign(A)
        v.assign_add(B)
        np.testing.assert_array_equal(v.value, A + B)
    np.testing.assert_array_equal(outer.get_current_value(v), A + B)
    np.testing.assert_array_equal(read, v.value + 1)
    assert "value=" in repr(v) and len(draws) == 2
    np.testing.assert_array_equal(v.value, pickle.loads(pickle.dumps(v)).value)


def test_an_array_is_refused_in_a_stateless_scope():
    with pytest.raises(ValueError, match="while in a stateless scope"):
        with StatelessScope():
            Variable(0)


def test_layers_made_and_traced_in_a_stateless_scope():
    def run(x):
        with StatelessScope():
            layer = layers.Dense(2, kernel_initializer="ones")
            made.append(layer)
            return layers.Dropout(0.5)(layer(x), training=True)

    made = []
    assert jax.jit(run)(A).shape == (2, 2)
    np.testing.assert_array_equal(made[0].kernel.value, np.ones((3, 2)))


def test_clear_session_leaves_name_scopes():
    left = name_scope("left_open")
    left.__enter__()
    with name_scope("inner"):
        clear_session()
        assert Variable(A, name="v").path == "v"
    left.__exit__(None, None, None)
    assert Variable(A, name="v").path == "v"


def test_name_scopes_may_end_in_any_order():
    a, b = name_scope("a"), name_scope("b")
    a.__enter__()
    b.__enter__()
    a.__exit__(None, None, None)
    assert Variable(A, name="v").path == "a/b/v"
    b.__exit__(None, None, None)
    assert Variable(A, name="v").path == "v"
    with a, a:
        assert Variable(A, name="v").path == "a/a/v"
    clear_session()


def test_clear_session_sets_back_what_keras_sets_back():
    config.set_dtype_policy("mixed_bfloat16")
    config.enable_unsafe_deserialization()
    config.disable_interactive_logging()
    config.disable_traceback_filtering()
    clear_session()
    assert config.dtype_policy().name == "float32"
    assert config.is_safe_mode()
    assert config.is_interactive_logging_enabled()
    assert config.is_traceback_filtering_enabled()


def test_arrays_of_the_caller_are_copied():
    x = np.ones((256, 256), "float32")
    for _ in range(5):
        x[:] = 1
        v = Variable(np.zeros((256, 256), "float32"))
        v.assign_add(x)
        drawn = Variable(lambda shape, dtype: x, (256, 256))
        x[:] = 9
        assert float(v.value.mean()) == 1.0 and float(drawn.value.mean()) == 1.0
