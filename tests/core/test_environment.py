"""What a program runs on, and the switch for equal bits on GPUs."""

import json
import os
import zipfile

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.core.environment import environment
from minikeras.training import program


def test_it_names_versions_devices_and_the_seed():
    keras.utils.set_random_seed(1234)
    found = environment()
    assert found["jax"] == jax.__version__ and found["numpy"] == np.__version__
    assert sum(found["devices"].values()) == jax.local_device_count()
    assert found["random_seed"] == 1234
    assert json.loads(json.dumps(found)) == found


def test_the_report_is_text(monkeypatch):
    monkeypatch.setenv("JAX_SOMETHING", "on")
    lines = dict(
        line.split(maxsplit=1)
        for line in keras.utils.environment_report().splitlines()
        if len(line.split()) > 1
    )
    assert lines["jaxlib"] == jax.lib.__version__ and lines["JAX_SOMETHING"] == "on"
    assert int(lines["processors"]) == os.cpu_count()


def test_a_saved_model_says_what_it_was_made_with(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        found = json.loads(file.read("metadata.json"))["environment"]
    assert found == environment()


@pytest.fixture
def flags(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_other=1")
    yield
    keras.config.disable_op_determinism()


def test_the_switch_reaches_the_compiler_of_a_gpu(flags, monkeypatch):
    keras.config.enable_op_determinism()
    keras.config.enable_op_determinism()
    assert os.environ["XLA_FLAGS"] == "--xla_other=1 --xla_gpu_deterministic_ops=true"
    monkeypatch.setattr("minikeras.core.platform.platform", lambda: "gpu")
    options = program.compiler_options()
    assert options == {"xla_gpu_deterministic_ops": True}
    # XLA knows the option on every platform.
    assert jax.jit(lambda x: x + 1, compiler_options=options)(1.0) == 2.0
    keras.config.disable_op_determinism()
    assert os.environ["XLA_FLAGS"] == "--xla_other=1"
    assert program.compiler_options() is None


def test_steps_are_compiled_again_for_it(flags):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    keras.config.enable_op_determinism()
    assert keras.config.is_op_determinism_enabled()
    model.fit(x, y, verbose=0)
    assert len([key for key in model._mk_programs if key[0] == "train_step"]) == 2
