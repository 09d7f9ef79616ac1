import numpy as np
import pytest

import minikeras as keras
from minikeras import KerasTensor, ops


def two_inputs():
    a, b = KerasTensor((None, 3), name="a"), KerasTensor((None, 3), name="b")
    total = ops.add(a, b)
    return keras.Function([a, b], {"sum": total, "sine": ops.sin(total)}, name="f")


def test_function_computes_and_records():
    f = two_inputs()
    x = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    out = f([x, 2 * x])
    np.testing.assert_allclose(out["sine"], np.sin(3 * x), rtol=1e-6)
    symbolic = f([KerasTensor((None, 3)), KerasTensor((None, 3))])
    assert symbolic["sum"].shape == (None, 3)
    assert f.compute_output_shape([(5, 3), (5, 3)]) == {"sum": (5, 3), "sine": (5, 3)}
    assert [op.name[:3] for op in f.operations] == ["add", "sin"]
    assert len(f.inputs) == len(f.outputs) == 2


def test_function_refuses():
    f = two_inputs()
    with pytest.raises(ValueError, match="expected the shape"):
        f([np.ones((2, 4)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="structure"):
        f(np.ones((2, 3)))
    with pytest.raises(ValueError, match="connected"):
        keras.Function(KerasTensor((2,)), ops.sin(KerasTensor((2,))))
    with pytest.raises(ValueError, match="KerasTensors"):
        keras.Function([np.ones(3)], KerasTensor((2,)))
