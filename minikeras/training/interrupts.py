"""Signals that are delayed while something is half done.

The handler of a signal, such as Ctrl-C's that raises KeyboardInterrupt, runs between
any two instructions of Python code. In three places an exception there does harm:

- between the donation of buffers to a program and the return of new ones: the weights
  would be lost;
- while Variables are leased or given back: some of them would be lost;
- inside JAX: an exception during a cache update leaves a broken entry, and one during a
  compilation leaves a compile thread running, which can crash the process at its exit.
"""

import pathlib
import signal
import sysconfig
import threading
from collections.abc import Callable
from typing import Any

import jax
import jaxlib

from minikeras.core.tracebacks import shorten

# Signals whose handlers programs set. To look at all 62 of Linux takes 0.04 ms, a sixth
# of a `predict` of one sample.
_NAMES = ("INT", "TERM", "HUP", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "BREAK")
_SIGNALS = [n for x in _NAMES if (n := getattr(signal, f"SIG{x}", None)) is not None]
_JAX = tuple(str(pathlib.Path(package.__file__).parent) for package in (jax, jaxlib))
_OURS = str(pathlib.Path(__file__).parent.parent)
_LIBRARIES = (*{sysconfig.get_path(x) for x in ("stdlib", "purelib", "platlib")},)


def _never():
    return False


class Interrupts:
    """Inside `with Interrupts():` signals wait where an exception would do harm.

    `deliver`, called when the state is whole, calls the handlers of those that waited.
    Python runs handlers in the main thread alone: in others there is nothing to do.

    Attributes:
        waiting: list of (signal, frame that it interrupted).
    """

    def __init__(self):
        self.waiting: list = []
        self._handlers = {}
        self._must_wait, self._atomic = _never, frozenset()

    def delay_in(
        self,
        *atomic: Callable[..., Any],
        must_wait: Callable[[], bool] | None = None,
    ) -> None:
        """Name more places where signals wait.

        Args:
            *atomic: functions that an exception must not interrupt.
            must_wait: function without arguments; it returns True while an exception
                would lose something.
        """
        self._must_wait = must_wait or self._must_wait
        # A handler sees frames, which have code objects and no functions.
        self._atomic |= frozenset(function.__code__ for function in atomic)

    def __enter__(self):
        try:
            if threading.current_thread() is threading.main_thread():
                for number in _SIGNALS:
                    handler = signal.getsignal(number)
                    if callable(handler):
                        self._handlers[number] = handler
                        signal.signal(number, self._receive)
            return self
        except BaseException:
            # A signal whose handler is not replaced yet may interrupt here. `with` does
            # not call `__exit__` then, so the replaced handlers are restored here.
            self.__exit__(None)
            raise

    def __exit__(self, _, error=None, __=None):
        if error is not None:
            shorten(error)
        for number, handler in self._handlers.items():
            # The user's code may have put another one in its place.
            if signal.getsignal(number) == self._receive:
                signal.signal(number, handler)
        # The function is a method of the lease, which has the arrays of the last step.
        # They must be freed now: a next `fit` would find them in use, and copy them.
        self._must_wait = _never
        self.deliver()

    def deliver(self) -> None:
        """Call the handlers of the signals that waited."""
        if self.waiting:
            number, frame = self.waiting.pop(0)
            try:
                self._handlers[number](number, frame)
            finally:
                self.deliver()  # also after a handler that raises KeyboardInterrupt

    def _receive(self, number, frame):
        if _is_in_jax(frame) or self._is_atomic(frame) or self._must_wait():
            self.waiting.append((number, frame))
        else:
            self._handlers[number](number, frame)

    def _is_atomic(self, frame):
        """Does the frame, or one that has called it, run an atomic function?"""
        own = (Interrupts.__enter__.__code__, Interrupts.__exit__.__code__)
        while frame is not None:
            if frame.f_code in own or frame.f_code in self._atomic:
                return True
            frame = frame.f_back
        return False


def _is_in_jax(frame):
    """Does JAX run, or another library, such as numpy, called by JAX?"""
    # From the innermost frame outwards. Our own code in between, such as a callback of
    # a step, or code of the user, may be interrupted.
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_JAX):
            return True
        if name.startswith(_OURS) or not name.startswith(_LIBRARIES):
            return False
        frame = frame.f_back
    return False
