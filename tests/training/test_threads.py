"""Threads that build, load, predict and fit at once see nothing of each other."""

import threading
import time

from tests.stress.threads import one_model, work


def test_threads_under_scopes_of_their_own(tmp_path):
    until, errors = time.time() + 3, []
    threads = [
        threading.Thread(target=work, args=(n, tmp_path, until, errors))
        for n in range(1, 5)
    ]
    threads += one_model(until, errors)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0][-1]
