"""The channel of a watched process: messages to the process that compares."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from typing import Any

from .recorder import Recorder

VARIABLE = "MINIKERAS_PARITY"  # of the environment: JSON, the arguments of `Connection`


class Connection:
    """Tells messages to the comparing process, and waits for its answers.

    Args:
        descriptor: number of an open socket.
        alive: number of a pipe that is closed when the comparing process ends.
        lockstep_from: number of the first event whose steps are told; None: none.
    """

    def __init__(self, descriptor: int, alive: int, lockstep_from: int | None):
        self.lockstep_from, self._pipe = lockstep_from, Pipe(descriptor)
        for number in (descriptor, alive):
            os.set_inheritable(number, False)
        self._process, self._lock = os.getpid(), threading.Lock()
        threading.Thread(target=_end_with, args=[alive], daemon=True).start()

    def receive(self) -> Any:
        """What the comparing process has to say first: the program to run."""
        return self._pipe.recv()

    def tell(self, message: dict[str, Any], taps: Any) -> Any:
        """Pass on a message; returns the values to take over, or None.

        Args:
            message: arrays, texts and numbers.
            taps: None, or a function that gives the taps of the step.
        """
        if os.getpid() != self._process:
            return None  # a forked worker of the program
        with self._lock:
            self._pipe.send(message)
            while True:
                answer = self._pipe.recv()
                if not isinstance(answer, str):
                    return answer
                self._pipe.send(taps())


def _end_with(alive):
    """End this process and what it has started when the comparing one has ended."""
    os.read(alive, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def connect() -> Connection | None:
    """The connection that the environment names; None if nobody watches."""
    setting = os.environ.pop(VARIABLE, None)
    return None if setting is None else Connection(**json.loads(setting))


@contextlib.contextmanager
def watched(
    keras: Any, connection: Connection | None, facts: dict[str, Any]
) -> Iterator[None]:
    """Have what a program does told while the `with` block runs it.

    Args:
        keras: the package that the program uses.
        connection: where it is told; None: nowhere.
        facts: its "error" says at the end how the program failed, or None.
    """
    if connection is None:
        yield
        return
    recorder = Recorder(keras, connection, connection.lockstep_from)
    try:
        yield
    except SystemExit as end:
        if end.code not in (None, 0):
            facts["error"] = f"SystemExit: {end.code}"
        raise
    finally:
        recorder.end(facts["error"])
