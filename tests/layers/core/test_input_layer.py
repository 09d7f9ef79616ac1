import numpy as np
import pytest

import minikeras
from minikeras import layers


def test_shape_batch_size_and_dtype():
    x = layers.Input((2, 3), batch_size=4, dtype="int32", name="numbers")
    assert (x.shape, x.dtype, x.name) == ((4, 2, 3), "int32", "numbers")
    assert layers.Input(batch_shape=(None, None)).shape == (None, None)
    assert layers.Input((np.int64(3),)).shape == (None, 3)


def test_layer_begins_a_graph():
    layer = layers.InputLayer((3,))
    operation, index, position = layer.output._keras_history
    assert (operation, index, position) == (layer, 0, 0)
    assert layer._mk_inbound_nodes[0].is_input
    assert layer.built and layer.batch_shape == (None, 3)


def test_a_given_tensor_is_the_input():
    tensor = minikeras.KerasTensor((2, 3), "float16")
    assert layers.Input(tensor=tensor) is tensor
    for wrong in (
        {"shape": (4,)},
        {"batch_size": 3},
        {"dtype": "int32"},
        {"batch_shape": (2, 4)},
        {"sparse": True},
    ):
        with pytest.raises(ValueError, match=f"incompatible `{next(iter(wrong))}`"):
            layers.InputLayer(input_tensor=tensor, **wrong)


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({}, "pass a `shape`"),
        ({"shape": (3,), "batch_shape": (2, 3)}, "both `shape` and `batch_shape`"),
        ({"batch_size": 2, "batch_shape": (2, 3)}, "both `batch_size` and"),
        ({"shape": (-1,)}, "negative"),
        ({"shape": ("a",)}, "'a'"),
        ({"shape": (3,), "ragged": True}, "ragged"),
        ({"input_tensor": np.ones(3)}, "must be a KerasTensor"),
    ],
)
def test_contradictions_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        layers.InputLayer(**kwargs)


def test_old_names_of_the_shape():
    with pytest.warns(UserWarning, match="input_shape"):
        assert layers.InputLayer(input_shape=(3,)).batch_shape == (None, 3)
    assert layers.InputLayer(batch_input_shape=(2, 3)).batch_shape == (2, 3)
