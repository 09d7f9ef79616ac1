"""Worker processes: what they load, what they are sent, how they fail and end."""

import gc
import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from minikeras.data import PyDatasetAdapter
from tests.data.light_source import Counting, Modules, Odd, Source, batch

TWO = {"workers": 2, "use_multiprocessing": True}


def test_neither_jax_nor_the_package_is_loaded():
    adapter = PyDatasetAdapter(Modules(**TWO))
    for _ in range(2):
        for _, ours, platform in adapter:
            assert platform[0] == -1
            assert ours[0] == 4  # three packages, not yet run, and data.pydataset
    adapter.close()


def test_jax_that_a_data_set_uses_leaves_the_accelerator_alone():
    source = Modules(uses_ops=True, workers=1, use_multiprocessing=True)
    iterator = iter(PyDatasetAdapter(source))
    assert next(iterator)[2][0] == 1
    iterator.close()


def test_order_and_values():
    adapter = PyDatasetAdapter(Source(**TWO))
    for _ in range(3):
        for i, (x, y) in enumerate(adapter):
            np.testing.assert_array_equal(x, batch(i % 7)[0])
            np.testing.assert_array_equal(y, batch(i % 7)[1])
            assert x.flags.writeable
    adapter.close()


def test_hooks_reach_the_copies_without_new_processes():
    adapter = PyDatasetAdapter(Counting(**TWO))
    seen = set()
    for epoch in range(3):
        adapter.on_epoch_begin()
        for number, process in adapter:
            assert number[0] == epoch
            seen.add(int(process[0]))
        adapter.on_epoch_end()
    assert len(seen) <= 2
    adapter.close()


def test_closed_and_used_again():
    adapter = PyDatasetAdapter(Source(workers=1, use_multiprocessing=True))
    for _ in range(2):
        assert len(list(adapter)) == 8
        adapter.close()
        adapter.close()


def test_dropped():
    adapter = PyDatasetAdapter(Modules(**TWO))
    pids = {int(pid[0]) for pid, *_ in adapter}
    del adapter
    gc.collect()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_close_does_not_wait_for_a_slow_process():
    iterator = iter(PyDatasetAdapter(Slow(**TWO)))
    start = time.perf_counter()
    assert next(iterator)
    iterator.close()
    assert time.perf_counter() - start < 20


class Slow(Source):
    def __getitem__(self, index):
        time.sleep(30 * index)
        return batch(0)


@pytest.mark.parametrize("processes", [False, True])
def test_read_in_another_thread(processes):
    """As `fit` may do to have batches ahead; it closes what it no longer reads."""
    before = set(threading.enumerate())
    source = Source(workers=2, use_multiprocessing=processes)
    iterator = iter(PyDatasetAdapter(source))
    got = []
    reader = threading.Thread(target=lambda: got.append(next(iterator)))
    reader.start()
    reader.join()
    assert len(got[0]) == 2 and set(threading.enumerate()) > before
    iterator.close()
    assert set(threading.enumerate()) == before


def test_what_cannot_be_sent():
    source = Source(**TWO)
    source.function = lambda: 0
    with pytest.raises(Exception, match="function|pickle|lambda") as caught:
        list(PyDatasetAdapter(source))
    assert "must be picklable" in "\n".join(caught.value.__notes__)


class Unreadable(Source):
    """Large, and cannot be made again from what is sent."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.ballast = np.zeros(10**6)

    def __setstate__(self, state):
        raise LookupError("not here")


def test_what_cannot_be_received(capfd):
    with pytest.raises(LookupError, match="not here") as caught:
        list(PyDatasetAdapter(Unreadable(**TWO)))
    assert "must be picklable" in "\n".join(caught.value.__notes__)
    assert not capfd.readouterr().err


def test_exceptions_that_cannot_travel(capfd):
    with pytest.raises(RuntimeError, match="Local: from afar") as caught:
        list(PyDatasetAdapter(Odd(**TWO)))
    assert "In the worker process:\nTraceback" in "\n".join(caught.value.__notes__)
    printed = capfd.readouterr()
    assert "said in a worker" in printed.err and not printed.out


SCRIPT = """
import sys
import numpy as np
import minikeras as keras

class Source(keras.utils.PyDataset):
    def __len__(self):
        return 3
    def __getitem__(self, index):
        return np.full((2, 1), "jax" in sys.modules), np.zeros((2, 1))

def main():
    from minikeras.data import get_adapter
    source = Source(workers=2, use_multiprocessing=True)
    print([bool(x[0, 0]) for x, _ in get_adapter(source)])
"""


def run_script(folder, end):
    path = folder / "script.py"
    path.write_text(SCRIPT + end)
    paths = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    command = [sys.executable, path]
    return subprocess.run(command, capture_output=True, text=True, env=paths)


def test_a_data_set_of_the_script_itself(tmp_path):
    end = "if __name__ == '__main__':\n    main()\n"
    run = run_script(tmp_path, end)
    assert run.stdout.split("\n")[0] == "[False, False, False]", run.stderr


def test_a_script_without_its_guard(tmp_path):
    run = run_script(tmp_path, "main()\n")
    assert run.returncode == 1
    assert "if __name__ == '__main__':" in run.stderr
