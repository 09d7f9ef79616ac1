"""Compiled programs are dropped after each file: thousands of calls fill memory."""

import jax
import pytest

# Not tests: collecting them would run them twice, and fill their tables twice.
collect_ignore = ["ops_cases", "layer_cases"]


@pytest.fixture(autouse=True, scope="module")
def _forget_programs():
    yield
    jax.clear_caches()
