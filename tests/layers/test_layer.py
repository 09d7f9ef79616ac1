"""What the base class of layers does around `call`."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.dtype_policies import DTypePolicyMap

X = np.array([1.0, 2.0], "float32")


class Shift(layers.Layer):
    """x + 1 if `shifted` reaches it."""

    def __init__(self, known=True):
        super().__init__()
        if known:
            self._mk_register_call_context_args("shifted")

    def call(self, x, shifted=False):
        return x + 1 if shifted else x


class Around(layers.Layer):
    """Calls another layer, without a word about `shifted`."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", ["layer", "sequential", "functional"])
def test_registered_arguments_reach_the_layers_that_know_them(kind, known):
    outer = Around(Around(Shift(known)))
    if kind == "sequential":
        outer = keras.Sequential([outer])
    if kind == "functional":
        inputs = keras.Input((2,))
        outer = keras.Model(inputs, outer(inputs))
    outer._mk_register_call_context_args("shifted")
    x = X[None]
    np.testing.assert_array_equal(outer(x, shifted=True), x + 1 if known else x)
    np.testing.assert_array_equal(outer(x), x)


def test_the_nearest_value_of_a_registered_argument_counts():
    class Outer(Around):
        def call(self, x):
            return self.inner(x, shifted=False) + 10 * self.inner(x)

    outer = Outer(Shift())
    outer._mk_register_call_context_args("shifted")
    np.testing.assert_array_equal(outer(X, shifted=True), X + 10 * (X + 1))


def test_arguments_are_registered_before_the_first_call():
    layer = Shift()
    layer(X)
    with pytest.raises(RuntimeError, match="after the layer has been called"):
        layer._mk_register_call_context_args("other")
    assert layer._mk_call_context_args == {"training", "shifted"}


def test_weights_made_in_call_are_refused():
    class Late(layers.Layer):
        def call(self, x):
            self.w = self.add_weight(shape=())
            return x

    with pytest.raises(ValueError, match="'late'.*build"):
        Late(name="late")(X)


def test_weights_may_be_taken_away():
    layer = layers.Dense(2)
    layer.build((None, 3))
    layer._mk_untrack_variable(layer.bias)
    assert layer.bias is None
    assert [v.name for v in layer.weights] == ["kernel"]
    layer._mk_tracker.unlock()
    layer.bias = layer.add_weight(shape=(2,), name="offset", initializer="ones")
    layer._mk_tracker.lock()
    assert [v.name for v in layer.weights] == ["kernel", "offset"]


def test_a_policy_goes_into_the_layers_map():
    layer = layers.Dense(2, dtype=DTypePolicyMap())
    layer.build((None, 1))
    for name in ("mixed_bfloat16", "mixed_float16"):
        layer.dtype_policy = name
        assert layer.dtype_policy[layer.path].name == name
    assert layer.compute_dtype == "float16"


def test_a_layer_without_a_computation_has_no_output_shape():
    with pytest.raises(NotImplementedError, match="compute_output_shape"):
        layers.Layer().compute_output_shape((2, 3))


def test_who_supports_masking():
    class Declared(layers.Layer):
        supports_masking = True

    class WithRule(layers.Layer):
        def compute_mask(self, inputs, previous_mask):
            return previous_mask

    assert Declared().supports_masking and WithRule().supports_masking
    assert not layers.Layer().supports_masking


def test_errors_name_the_layer_by_its_path():
    class Inner(layers.Layer):
        def call(self, x):
            return keras.ops.reshape(x, (7,))

    outer = Around(Around(Inner(name="inner")))
    where = f"{outer.name}/{outer.inner.name}/inner"
    with pytest.raises(TypeError, match=rf"Layer: {where} \(Inner\).*float32\[2\]"):
        outer(X)
    with pytest.raises(TypeError, match="'unknown'\nLayer: .*unknown=3"):
        layers.Dense(2)(X[None], unknown=3)


def test_wrong_shapes_name_the_layer_by_its_path():
    outer = Around(layers.Dense(2, name="inner"))
    outer(X[None])
    expected = f"{outer.name}/inner' .*value 2, found 3.*received: \\(1, 3\\)"
    with pytest.raises(ValueError, match=expected):
        outer(np.ones((1, 3)))


def test_weights_of_unknown_size_are_refused():
    with pytest.raises(ValueError, match=r"\(None, 2\).*'kernel'.*'dense"):
        layers.Dense(2)(keras.KerasTensor((None, None)))


def test_a_failed_build_leaves_no_state_but_the_users_notes():
    class Tries(layers.Layer):
        tries = 0

        def __init__(self):
            super().__init__()
            self.log, self.nest, self.seen = [], {"a": []}, set()

        def build(self, input_shape):
            self.tries += 1
            self.log.append(self.tries)
            self.k = self.add_weight((input_shape[-1],), name="k")
            self.nest["a"].append(layers.Dense(2))
            self.seen.add(layers.Dense(3))
            for part in (*self.nest["a"], *self.seen):
                part.build(input_shape)
            if self.tries < 2:
                raise ValueError("again")

        def call(self, x):
            return x * self.k

    layer, x = Tries(), np.ones((2, 3), "float32")
    with pytest.raises(ValueError, match="again"):
        layer(x)
    assert not layer.weights and layer.log == [1]
    layer(x)
    assert len(layer.weights) == 5 and layer.log == [1, 2]
