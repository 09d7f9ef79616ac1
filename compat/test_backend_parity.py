"""`keras.backend` of Keras 2 in `tensorflow.keras`, which needs TensorFlow.

`python compat/test_backend_parity.py` records what real Keras returns, in the file that
`tests/legacy/test_backend.py` compares with. With TensorFlow installed, the test here
checks that the record is still right.
"""

import json
import os
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
RECORD = ROOT / "tests" / "legacy" / "backend_expected.json"
sys.path.insert(0, str(ROOT / "tests" / "legacy"))

import backend_cases  # noqa: E402


def plain(value):
    """Results as lists of numbers, seven digits each."""
    if isinstance(value, (list, tuple)) and any(hasattr(x, "shape") for x in value):
        return {"list": [plain(x) for x in value]}
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = array.astype("float32")
        flat = [float(f"{x:.7g}") for x in array.ravel()]
    else:
        flat = array.ravel().tolist()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": flat}


def recorded():
    """{case: result} of real Keras on TensorFlow, and the signatures of all names."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import inspect

    import keras.backend
    import tensorflow as tf
    from keras._tf_keras.keras import backend as K

    names = [n for n in dir(K) if n[0] != "_" and not hasattr(keras.backend, n)]
    tensors = {k: tf.constant(v) for k, v in backend_cases.arrays().items()}
    return {
        "signatures": {n: str(inspect.signature(getattr(K, n))) for n in names},
        "cases": {n: plain(f(K, tensors)) for n, f in backend_cases.CASES.items()},
    }


def test_the_record_is_that_of_tensorflow():
    import pytest

    pytest.importorskip("tensorflow")
    assert json.loads(json.dumps(recorded())) == json.loads(RECORD.read_text())


if __name__ == "__main__":
    RECORD.write_text(json.dumps(recorded(), separators=(",", ":")) + "\n")
