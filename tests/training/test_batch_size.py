"""`batch_size="auto"`: within a tenth of the largest batch that fits."""

import re
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.core import platform
from minikeras.training import batch_size

X = np.ones((5000, 32), "float32")
Y = np.ones((5000, 1), "float32")


@pytest.fixture
def limit():
    yield keras.config.set_memory_limit
    keras.config.set_memory_limit(None)


def small_model(**settings):
    model = keras.Sequential([keras.Input((32,)), layers.Dense(64), layers.Dense(1)])
    model.compile("adam", "mse", **settings)
    return model


def test_the_largest_size_that_fits_is_found(limit, capsys):
    limit(1 << 19)
    model = small_model()
    model.fit(X, Y, batch_size="auto", verbose=2)
    text = capsys.readouterr().out
    size = int(re.findall(r"batch_size='auto': (\d+) samples", text)[0])
    assert model.history.params["steps"] == -(-5000 // size)
    trial = batch_size._Trial(model, "train_step", (X, Y))
    fits, too_large = 1, 5001  # the largest, by bisection
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        inside = trial.bytes_for(middle) <= 1 << 19
        fits, too_large = (middle, too_large) if inside else (fits, middle)
    assert 0.9 * fits <= size <= fits
    again = small_model()
    again.fit(X, Y, batch_size="auto", verbose=2)
    assert f"'auto': {size} samples" in capsys.readouterr().out


@pytest.mark.parametrize("most", [1, 7, 100, 10**6])
@pytest.mark.parametrize("start", [0, 900])
@pytest.mark.parametrize("slope", [1, 3, 250])
@pytest.mark.parametrize("bend", [0, 1])
def test_few_trials_find_it_for_all_lines(most, start, slope, bend):
    trials = []

    def bytes_for(size):
        trials.append(size)
        # Half of the slope for many samples: XLA then chooses another algorithm.
        return start + slope * (size - bend * max(size - 64, 0) // 2)

    found = batch_size._largest(bytes_for, 1000, most)
    fitting = [n for n in range(1, min(most, 2500) + 1) if bytes_for(n) <= 1000]
    largest = max(fitting, default=0)
    assert 0.9 * largest <= found <= largest
    del trials[len(trials) - min(most, 2500) :]
    assert len(trials) <= 12


def test_it_is_never_larger_than_the_data_and_works_everywhere(capsys):
    model = small_model()
    model.fit(X[:50], Y[:50], batch_size="auto", validation_split=0.2, verbose=0)
    assert model.history.params["steps"] == 1 and capsys.readouterr().out == ""
    assert model.predict(X[:50], batch_size="auto", verbose=0).shape == (50, 1)
    assert model.evaluate(X[:50], Y[:50], batch_size="auto", verbose=0) >= 0


def test_what_it_cannot_do_is_told(limit):
    fit = small_model().fit
    with pytest.raises(ValueError, match="needs arrays"):
        fit(iter([(X, Y)]), batch_size="auto")
    with pytest.raises(ValueError, match="run_eagerly"):
        small_model(run_eagerly=True).fit(X, Y, batch_size="auto")
    with pytest.raises(ValueError, match="number of steps"):
        fit(X, Y, batch_size="auto", steps_per_epoch=3)
    with pytest.raises(ValueError, match="positive integer"):
        fit(X, Y, batch_size="largest")
    limit(1000)
    with pytest.raises(ValueError, match=r"one sample takes .*optimizer.*\[1, 32\]"):
        fit(X, Y, batch_size="auto")
    for wrong in (0, -1, "1G", True):
        with pytest.raises(ValueError, match="bytes > 0"):
            limit(wrong)
    assert keras.config.memory_limit() == 1000


PROGRAM = """
import resource
from minikeras.core import platform
platform.is_cpu()  # JAX starts its threads
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 900 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(platform.free_memory())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_free_memory_knows_the_limit_of_the_process():
    run = [sys.executable, "-c", PROGRAM]
    answer = subprocess.run(run, capture_output=True, text=True, check=True)
    assert 0 < int(answer.stdout) <= 900 * 2**20
    assert platform.free_memory() > 0
