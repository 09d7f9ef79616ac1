"""The pytest plugin, in a project of somebody else's."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]

SUITE = """
import os
import random

import numpy as np
import pytest

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
BEFORE = {}


def test_begins():
    random.seed(5), np.random.seed(6)
    BEFORE.update(python=random.getstate(), numpy=np.random.get_state()[1].tolist())


def test_layer(parity):
    assert os.environ["KERAS_BACKEND"] == "jax"
    import keras
    layer = keras.layers.Dense(2, "tanh")
    assert layer.name == "dense"
    report = parity.layer(layer, X)
    assert {"the output", "the gradient of dense/kernel"} <= {*report.differences}


def test_sessions_are_clean_and_seeded(parity):
    import keras
    import minikeras
    kernels = []
    for package in (keras, minikeras):
        package.utils.set_random_seed(0)
        layer = package.layers.Dense(2)
        layer.build((None, 3))
        assert layer.name == "dense"
        kernels.append(np.asarray(layer.kernel.value))
    np.testing.assert_array_equal(*kernels)
    random.random(), np.random.random()


def test_random_states_are_given_back():
    assert random.getstate() == BEFORE["python"]
    assert np.random.get_state()[1].tolist() == BEFORE["numpy"]


def test_another_layer_parts(parity):
    import keras
    import minikeras

    class Scale(keras.layers.Layer):
        def call(self, x):
            return x * 2.0

    class Other(minikeras.layers.Layer):
        def call(self, x):
            return x * 2.002

    parity.layer(Scale(), X, custom_objects={"Scale": Other}, gradients=False)


def test_both_ways(parity):
    import keras
    import minikeras
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    ours = parity.from_keras(model)
    assert isinstance(ours, minikeras.Model)
    assert isinstance(parity.to_keras(ours), keras.Model)
"""


def run_suite(folder, *options, suite=SUITE):
    """The outcome of pytest in a folder with the suite."""
    (folder / "test_suite.py").write_text(suite)
    env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    # Where the plugin is installed, its entry point and `-p` name the same module.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_minikeras"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "--rootdir", str(folder), *options, "."],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    ).stdout


def test_a_suite_uses_the_fixture(tmp_path):
    out = run_suite(tmp_path)
    assert "1 failed, 5 passed" in out, out
    assert "FAILED test_suite.py::test_another_layer_parts - AssertionError" in out
    assert "Other 'scale': the output differs" in out


LAZY = """
import sys

def test_nothing_is_imported(request):
    assert request.config.getoption("--parity-rtol") == 0.25
    assert "pytest_minikeras" in sys.modules
    assert not {"jax", "numpy", "keras", "minikeras"} & set(sys.modules)
"""


def test_a_suite_without_the_fixture_imports_nothing(tmp_path):
    assert "1 passed" in run_suite(tmp_path, "--parity-rtol=0.25", suite=LAZY)


def test_scripts_and_trainings_reach_minikeras(monkeypatch):
    """What the plugin passes on; the functions themselves have tests of their own."""
    import pytest_minikeras
    from minikeras.parity import script, trajectory

    calls = []

    class Verdict:
        same = False

        def __str__(self):
            return "epoch 2, layer dense"

    def record(*args, **options):
        calls.append((args, options))
        return Verdict()

    monkeypatch.setattr(script, "run_script", record)
    monkeypatch.setattr(trajectory, "assert_trajectory_parity", record)
    parity = pytest_minikeras.Parity(1e-4)
    with pytest.raises(pytest.fail.Exception, match="epoch 2, layer dense"):
        parity.script("train.py", ["--epochs", "1"], against="tf_keras", seed=3)
    parity.trajectory(record, tolerance=1e-7)
    options = {"tolerance": 1e-4, "against": "tf_keras", "seed": 3}
    assert calls == [
        (("train.py", ["--epochs", "1"]), options),
        ((record,), {"tolerance": 1e-7}),
    ]
