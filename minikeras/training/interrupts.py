"""Signals that wait while something is half done, and are delivered afterwards.

The handler of a signal, such as Ctrl-C's that raises KeyboardInterrupt, runs between
any two instructions of Python code: also inside of JAX, after a program has taken
its donated arrays and before it has returned the new ones. An exception there would
lose them.
"""

import signal
import threading

# Those whose handlers programs set; looking at all of them takes longer.
_NAMES = ("INT", "TERM", "HUP", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "BREAK")
_SIGNALS = [n for x in _NAMES if (n := getattr(signal, f"SIG{x}", None)) is not None]


class Interrupts:
    """Between `open` and `close`, signals wait as long as `must_wait()` says so.

    Python runs the handlers of signals in the main thread alone: in others there is
    nothing to do.

    Args:
        must_wait: would an exception now lose something?
        atomic: functions in which none may be raised; `must_wait` is not asked there.
    """

    def __init__(self, must_wait, *atomic):
        self.must_wait = must_wait
        self._atomic = frozenset(f.__code__ for f in (*atomic, Interrupts.close))
        self._handlers = {}
        self.waiting: list = []

    def open(self):
        """Take the place of the handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._receive)

    def close(self):
        """Give the handlers back, then deliver what waited."""
        for number, handler in self._handlers.items():
            # The user's code may have put another one in its place.
            if signal.getsignal(number) == self._receive:
                signal.signal(number, handler)
        self.deliver()

    def deliver(self):
        """Call the handlers of the signals that waited."""
        while self.waiting:
            number, frame = self.waiting.pop(0)
            self._handlers[number](number, frame)

    def _receive(self, number, frame):
        if self._is_atomic(frame) or self.must_wait():
            self.waiting.append((number, frame))
        else:
            self._handlers[number](number, frame)

    def _is_atomic(self, frame):
        while frame is not None:
            if frame.f_code in self._atomic:
                return True
            frame = frame.f_back
        return False
