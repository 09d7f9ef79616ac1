"""Signals that wait while something is half done, and are delivered afterwards.

The handler of a signal, such as Ctrl-C's that raises KeyboardInterrupt, runs between
any two instructions of Python code. In three places an exception there does harm:

- after a program has taken its donated arrays, and before it has returned new ones,
  they are lost;
- while Variables are lent to a loop or given back, some of them would be lost;
- inside of JAX: one that falls on its caches leaves an entry that fails for ever, and
  one that leaves a compilation behind, which goes on in a thread, lets the process
  crash when it ends.
"""

import pathlib
import signal
import sysconfig
import threading

import jax
import jaxlib

from minikeras.core.tracebacks import shorten

# Those whose handlers programs set; looking at all of them takes longer.
_NAMES = ("INT", "TERM", "HUP", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "BREAK")
_SIGNALS = [n for x in _NAMES if (n := getattr(signal, f"SIG{x}", None)) is not None]
_JAX = tuple(str(pathlib.Path(package.__file__).parent) for package in (jax, jaxlib))
_OURS = str(pathlib.Path(__file__).parent.parent)
_LIBRARIES = (*{sysconfig.get_path(x) for x in ("stdlib", "purelib", "platlib")},)


def _never():
    return False


class Interrupts:
    """Inside `with Interrupts():` signals wait where an exception would do harm.

    `deliver`, at a moment when all is whole, calls the handlers of those that waited.
    Python runs handlers in the main thread alone: in others there is nothing to do.

    Attributes:
        waiting: (signal, the frame that it fell into) of each.
    """

    def __init__(self):
        self.waiting: list = []
        self._handlers = {}
        self._must_wait, self._atomic = _never, frozenset()

    def guard(self, *atomic, must_wait=_never):
        """Say where else signals wait.

        Args:
            atomic: functions that do all of their work, or none.
            must_wait: would an exception now lose something?
        """
        self._must_wait = must_wait
        self._atomic = frozenset(function.__code__ for function in atomic)

    def __enter__(self):
        try:
            if threading.current_thread() is threading.main_thread():
                for number in _SIGNALS:
                    handler = signal.getsignal(number)
                    if callable(handler):
                        self._handlers[number] = handler
                        signal.signal(number, self._receive)
            return self
        except BaseException:  # of a signal that has its own handler still
            self.__exit__(None)
            raise

    def __exit__(self, _, error=None, __=None):
        if error is not None:
            shorten(error)
        for number, handler in self._handlers.items():
            # The user's code may have put another one in its place.
            if signal.getsignal(number) == self._receive:
                signal.signal(number, handler)
        self._must_wait = _never  # it holds the lease, and that the arrays of the step
        self.deliver()

    def deliver(self):
        """Call the handlers of the signals that waited."""
        if self.waiting:
            number, frame = self.waiting.pop(0)
            try:
                self._handlers[number](number, frame)
            finally:
                self.deliver()

    def _receive(self, number, frame):
        if _is_in_jax(frame) or self._is_atomic(frame) or self._must_wait():
            self.waiting.append((number, frame))
        else:
            self._handlers[number](number, frame)

    def _is_atomic(self, frame):
        own = (Interrupts.__enter__.__code__, Interrupts.__exit__.__code__)
        while frame is not None:
            if frame.f_code in own or frame.f_code in self._atomic:
                return True
            frame = frame.f_back
        return False


def _is_in_jax(frame):
    """Is JAX at work, or another library, such as numpy, for JAX?"""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_JAX):
            return True
        if name.startswith(_OURS) or not name.startswith(_LIBRARIES):
            return False
        frame = frame.f_back
    return False
