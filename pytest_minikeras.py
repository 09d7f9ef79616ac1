"""The pytest plugin of minikeras: the fixture `parity`.

Every pytest of an environment loads it, so nothing but pytest is imported until a test
asks for the fixture.
"""

import os

import pytest


def pytest_addoption(parser):
    """Add `--parity-rtol`."""
    parser.getgroup("minikeras").addoption(
        "--parity-rtol",
        type=float,
        default=None,
        metavar="RTOL",
        help="relative difference that the fixture `parity` takes for rounding "
        "(1e-6 for layers and models, 1e-5 for trainings and scripts)",
    )


class Parity:
    """Compares Keras with minikeras; each method is one of `minikeras.parity`.

    Args:
        rtol: relative difference that counts as rounding; None: the methods' own.
    """

    def __init__(self, rtol=None):
        self._rtol = rtol

    def layer(self, layer, inputs, **options):
        """`minikeras.parity.assert_layer_parity`."""
        from minikeras.parity.asserts import assert_layer_parity

        options = self._with_rtol("rtol", options)
        return assert_layer_parity(layer, inputs, **options)

    def model(self, model, inputs, targets=None, **options):
        """`minikeras.parity.assert_model_parity`."""
        from minikeras.parity.asserts import assert_model_parity

        options = self._with_rtol("rtol", options)
        return assert_model_parity(model, inputs, targets, **options)

    def trajectory(self, build, **options):
        """`minikeras.parity.assert_trajectory_parity`."""
        from minikeras.parity.trajectory import assert_trajectory_parity

        options = self._with_rtol("tolerance", options)
        return assert_trajectory_parity(build, **options)

    def script(self, path, arguments=(), **options):
        """Fail unless a script does the same with both: `minikeras.parity.run_script`.

        Args:
            path: of the script.
            arguments: list of strings, its command line.
            **options: as `run_script` takes them: against, seed, tolerance, …

        Returns:
            The `Verdict`.
        """
        from minikeras.parity.script import run_script

        options = self._with_rtol("tolerance", options)
        verdict = run_script(path, arguments, **options)
        if not verdict.same:
            pytest.fail(str(verdict), pytrace=False)
        return verdict

    def from_keras(self, model, custom_objects=None):
        """`minikeras.parity.from_keras`."""
        from minikeras.parity.exchange import from_keras

        return from_keras(model, custom_objects)

    def to_keras(self, model, custom_objects=None):
        """`minikeras.parity.to_keras`."""
        from minikeras.parity.exchange import to_keras

        return to_keras(model, custom_objects)

    def _with_rtol(self, name, options):
        return options if self._rtol is None else {name: self._rtol, **options}


@pytest.fixture
def parity(request):
    """Compare Keras with minikeras: a `Parity`.

    The test begins with clean sessions of both packages and the seed 0. Python's
    `random` and `np.random` are as before when it ends. Keras is imported with
    KERAS_BACKEND=jax unless the variable is set.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import random

    import numpy as np

    states = random.getstate(), np.random.get_state()
    import minikeras
    from minikeras.parity.exchange import real_keras

    for package in (real_keras("parity"), minikeras):
        package.utils.clear_session()
        package.utils.set_random_seed(0)
    yield Parity(request.config.getoption("--parity-rtol"))
    random.setstate(states[0])
    np.random.set_state(states[1])
