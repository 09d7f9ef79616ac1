"""A FeatureSpace's file in real Keras, which needs TensorFlow for it."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

from minikeras.utils import FeatureSpace

pytest.importorskip("grain")

TABLE = {
    "normal": [1.0, 2.0, 3.0, 5.0],
    "binned": [0.1, 0.9, 0.4, 0.7],
    "number": [1, 2, 2, 7],
    "hashed": [3, 14, 15, 92],
    "text": ["x", "y", "x", "zz"],
}


def space():
    kinds = {
        "normal": "float_normalized",
        "binned": FeatureSpace.float_discretized(num_bins=2),
        "number": "integer_categorical",
        "hashed": FeatureSpace.integer_hashed(num_bins=4),
        "text": "string_categorical",
    }
    made = FeatureSpace(kinds, crosses=[("number", "text")], crossing_dim=5)
    made.adapt(TABLE)
    return made


ORACLE = """
import json, sys, numpy as np, keras
table, features = json.loads(sys.argv[1]), keras.utils.FeatureSpace
own = keras.models.load_model(sys.argv[2])
print(json.dumps(np.asarray(own(table)).tolist()))
"""


def test_keras_reads_the_file(tmp_path):
    # Only Keras with TensorFlow can: a Python of its own, if the user names one.
    python = os.environ.get("MINIKERAS_TENSORFLOW_PYTHON", "")
    if not pathlib.Path(python).is_file():
        pytest.skip("set MINIKERAS_TENSORFLOW_PYTHON to a Python with Keras and TF")
    own = space()
    own.save(tmp_path / "space.keras")
    run = [python, "-c", ORACLE, json.dumps(TABLE), str(tmp_path / "space.keras")]
    env = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": ""}
    out = subprocess.run(run, capture_output=True, text=True, check=True, env=env)
    found = json.loads(out.stdout.splitlines()[-1])
    np.testing.assert_allclose(found, own(TABLE), rtol=1e-5, atol=1e-6)
