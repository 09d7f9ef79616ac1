"""The same function with both packages in one process, compared step by step."""

import contextlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import minikeras
from minikeras.core.late_import import late_import
from minikeras.parity.compare import Comparison
from minikeras.parity.lockstep import Lockstep
from minikeras.parity.side.recorder import Recorder
from minikeras.parity.verdict import DIFFERENT, EMPTY, ROUNDING, SAME, Verdict


def assert_trajectory_parity(
    run: Callable[[Any], Any],
    *,
    seed: int = 0,
    tolerance: float = 1e-5,
    every_step: bool = False,
    against: Any = None,
) -> Verdict:
    """Run a function with real Keras and with minikeras, and compare all it does.

    Args:
        run: function of the package (`keras` or `minikeras`) that builds, trains and
            uses models of it, such as `def run(keras): …`. It runs twice with each
            package if something parts.
        seed: both begin with `set_random_seed(seed)` and names that count from 1.
        tolerance: relative difference of results that counts as rounding.
        every_step: whether to compare step by step also where the whole runs agree.
        against: the package to compare with; None: the installed `keras`.

    Returns:
        The `Verdict`, "same" or "rounding".

    Raises:
        AssertionError: something parts; the message names layer (or metric, optimizer,
            draw) and step.
    """
    theirs = late_import("keras") if against is None else against
    with _states_kept():
        verdict = _compared(run, theirs, seed, tolerance, every_step)
    if not verdict.same:
        raise AssertionError(str(verdict))
    return verdict


def _compared(run, keras, seed, tolerance, every_step=False):
    comparison, listed = Comparison(tolerance), []
    for package in (keras, minikeras):
        listed.append(_Listing())
        _run(run, package, seed, listed[-1], None)
    comparison.run(*(listing.messages for listing in listed))
    first = comparison.first
    known = {
        "script": getattr(run, "__qualname__", repr(run)),
        "against": keras.__name__,
        "calls": comparison.calls,
        "histories": comparison.histories,
        "first_seen": first,
    }
    same = SAME if comparison.calls else EMPTY
    if first is None and (not every_step or same == EMPTY):
        return Verdict(same, **known)
    if first is not None and first.is_found:
        return Verdict(DIFFERENT, difference=first, **known)
    event = 0 if first is None else first.event
    spool = _Listing(keeps_taps=True)
    _run(run, keras, seed, spool, event)
    fails = any(listing.messages[-1]["error"] for listing in listed)
    judged = _Judged(spool, Lockstep(event, tolerance, fails=fails))
    with contextlib.suppress(_PartedError):
        _run(run, minikeras, seed, judged, event)
    judge, difference = judged.lockstep.judge, judged.difference
    return Verdict(
        DIFFERENT if difference else ROUNDING if first else same,
        difference=difference,
        ill_conditioned=judge.ill_conditioned,
        steps=judge.steps,
        **known,
    )


def _run(run, package, seed, channel, lockstep_from):
    package.utils.clear_session()
    package.utils.set_random_seed(seed)
    recorder = Recorder(package, channel, lockstep_from)
    error = None
    try:
        run(package)
    except AssertionError:
        raise
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
        if lockstep_from is None and package is not minikeras:
            raise  # the function itself is wrong
    finally:
        recorder.remove()
    recorder.end(error)


@contextlib.contextmanager
def _states_kept():
    """Leave `random` and `np.random` as they were."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


class _Listing:
    """A channel that keeps the messages, and with them the taps."""

    def __init__(self, keeps_taps=False):
        self.messages, self.taps, self._keeps_taps = [], [], keeps_taps

    def tell(self, message, taps):
        self.messages.append(message)
        self.taps.append(taps() if taps is not None and self._keeps_taps else None)


class _PartedError(BaseException):
    """Ends a run in which a difference was found; no program catches it."""


class _Judged:
    """A channel that compares with the messages of a run before."""

    def __init__(self, spool, lockstep):
        self.lockstep, self.difference = lockstep, None
        self._theirs = iter(zip(spool.messages, spool.taps, strict=True))

    def tell(self, message, taps):
        theirs, their_taps = next(self._theirs, (None, None))
        difference, values = self.lockstep.compare(
            theirs, message, lambda: their_taps, taps
        )
        if difference is not None:
            self.difference = difference
            raise _PartedError
        return values
