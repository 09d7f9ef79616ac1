"""The bridge: code in Keras style as a pure function."""

import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras.core.bridge import (
    Bridge,
    Frame,
    MaskTable,
    apply,
    current,
    get_mask,
    set_mask,
)
from minikeras.core.variable import Variable

X = np.array([0.5, -2.0, 3.0], "float32")


@pytest.fixture
def parts():
    scale = Variable(np.array([1.0, 2.0, -3.0], "float32"), name="scale")
    count = Variable(0, name="count", trainable=False)

    def run(x):
        count.assign_add(1)
        scale.assign(scale * 2)
        return scale * x

    return {"scale": scale, "count": count}, run


def values(variables):
    return {key: v.value for key, v in variables.items()}


def test_apply_reads_and_writes_bound_arrays(parts):
    variables, run = parts
    out, new = apply(run, variables, values(variables), X)
    np.testing.assert_allclose(out, [1.0, -8.0, -18.0])
    assert int(new["count"]) == 1
    np.testing.assert_array_equal(variables["scale"].value, [1.0, 2.0, -3.0])
    assert int(variables["count"].value) == 0


def test_apply_under_jit(parts):
    variables, run = parts
    step = jax.jit(lambda v, x: apply(run, variables, v, x))
    _, state = step(values(variables), X)
    out, state = step(state, X)
    np.testing.assert_allclose(out, [2.0, -16.0, -36.0])
    assert int(state["count"]) == 2
    np.testing.assert_array_equal(variables["scale"].value, [1.0, 2.0, -3.0])


def test_apply_under_grad(parts):
    variables, run = parts

    def loss(scale):
        given = values(variables) | {"scale": scale}
        return apply(run, variables, given, X)[0].sum()

    np.testing.assert_allclose(jax.grad(loss)(jnp.ones(3)), 2 * X)


def test_apply_under_vmap(parts):
    variables, run = parts
    many = jnp.stack([jnp.ones(3), 2 * jnp.ones(3)])
    run_one = lambda s: apply(run, variables, values(variables) | {"scale": s}, X)  # noqa: E731
    out, new = jax.vmap(run_one)(many)
    np.testing.assert_allclose(out, np.stack([2 * X, 4 * X]))
    assert new["scale"].shape == (2, 3)


def test_bridges_nest_and_shadow(parts):
    variables, _ = parts
    scale = variables["scale"]
    with Bridge({"s": scale}, {"s": jnp.zeros(3)}) as outer:
        with Bridge({"s": scale}, {"s": jnp.ones(3)}) as inner:
            scale.assign_add(jnp.ones(3))
        np.testing.assert_array_equal(scale.value, np.zeros(3))
        # A variable that the inner bridge does not know is read from the outer one.
        with Bridge({"c": variables["count"]}, {"c": jnp.asarray(7)}):
            np.testing.assert_array_equal(scale.value, np.zeros(3))
    np.testing.assert_array_equal(inner.new()["s"], 2 * np.ones(3))
    np.testing.assert_array_equal(outer.new()["s"], np.zeros(3))


def test_an_exception_closes_the_bridge(parts):
    variables, _ = parts
    before = current()

    def fail():
        variables["scale"].assign(jnp.zeros(3))
        raise KeyError("inside")

    with pytest.raises(KeyError):
        apply(fail, variables, values(variables))
    assert current() is before
    np.testing.assert_array_equal(variables["scale"].value, [1.0, 2.0, -3.0])


def test_a_passing_variable_leaves_its_array_to_nobody():
    def run():
        for i in range(50):  # made and dropped: the next may get the identity
            fresh = Variable(np.full(3, -1.0, "float32"))
            assert fresh.value[0] == -1.0
            fresh.assign(np.full(3, i, "float32"))

    apply(run, {}, {})


def test_values_must_match_the_variables(parts):
    variables, run = parts
    with pytest.raises(ValueError):
        apply(run, variables, {"scale": jnp.ones(3)}, X)


def test_frames_inherit():
    with Frame(training=True, path=("a",)):
        with Frame(autocast="float16"):
            assert current().training is True and current().path == ("a",)
        assert current().autocast is None
    assert current().training is None and current().path == ()


def test_masks_live_as_long_as_their_arrays():
    masks, x, y = MaskTable(), jnp.ones(3), jnp.ones(3)
    masks.set(x, "mask of x")
    assert masks.get(x) == "mask of x" and masks.get(y) is None
    masks.set(x, None)
    assert masks.get(x) is None
    masks.set(y, "mask of y")
    del y
    gc.collect()
    assert masks.table == {}


def test_masks_of_keras_tensors_stay_on_them():
    from minikeras import Input

    tensor = Input((3,))
    set_mask(tensor, "mask")
    assert get_mask(tensor) == "mask"
    assert get_mask(None) is None


def test_scopes_may_end_in_any_order():
    import minikeras as keras

    look, scope = keras.saving.get_registered_object, keras.saving.custom_object_scope
    first, second = scope({"A": dict}), scope({"B": dict})
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert look("B") is dict
    second.__exit__(None, None, None)
    assert look("A") is None and look("B") is None

    def within():
        with scope({"G": dict}):
            yield

    generator = within()
    next(generator)
    with keras.name_scope("n"):
        del generator
        gc.collect()
        assert keras.Variable(1.0, name="v").path == "n/v"
    assert look("G") is None


def test_the_end_of_safe_mode_closes_what_was_left_open_within():
    from minikeras.core.serialization import SafeModeScope, in_safe_mode
    from minikeras.saving import custom_object_scope

    with SafeModeScope(False):
        custom_object_scope({"A": dict}).__enter__()
        assert not in_safe_mode()
    assert in_safe_mode()
