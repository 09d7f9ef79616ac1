import numpy as np

from minikeras import KerasTensor, layers
from minikeras.core.bridge import get_mask

X = np.array([[[0.5, 0.5], [0.5, 2.0], [3.0, 1.0]]], "float32")


def test_steps_that_hold_the_value_only_are_masked_and_set_to_zero():
    y = layers.Masking(0.5)(X)
    assert get_mask(y).tolist() == [[False, True, True]]
    np.testing.assert_array_equal(y[0], [[0, 0], [0.5, 2], [3, 1]])


def test_mask_of_a_symbolic_input_is_symbolic():
    mask = get_mask(layers.Masking()(KerasTensor((None, 3, 2))))
    assert (mask.shape, mask.dtype) == ((None, 3), "bool")


def test_mask_reaches_the_next_layer_in_half_precision():
    seen = []

    class Look(layers.Layer):
        def call(self, x, mask=None):
            seen.append((x.dtype.name, mask.tolist()))
            return x

    look = Look(dtype="float16")
    look.supports_masking = True
    look(layers.Masking(0.5)(X))
    assert seen == [("float16", [[False, True, True]])]
