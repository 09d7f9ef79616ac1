"""Two runs from message to message, every step from equal numbers."""

from typing import Any

import numpy as np

from minikeras.parity.compare import Comparison
from minikeras.parity.judge import Judge
from minikeras.parity.verdict import Difference


class Lockstep:
    """Judges pairs of messages, and says what ours has to take over.

    Args:
        event: number of the first event that is judged.
        tolerance: relative difference that counts as rounding.
        same_draws: whether both sides draw alike.
        fails: whether the program failed in the whole runs, too.
    """

    def __init__(
        self,
        event: int,
        tolerance: float,
        same_draws: bool = True,
        fails: bool = False,
    ):
        self.judge, self._event, self._fails = Judge(tolerance), event, fails
        self._comparison = Comparison(tolerance, same_draws)

    def compare(
        self, theirs: dict | None, ours: dict | None, their_taps: Any, our_taps: Any
    ) -> tuple[Difference | None, dict[int, np.ndarray] | None]:
        """Compare a pair; returns (difference or None, values to take over or None).

        Args:
            theirs, ours: messages, None where a run has ended.
            their_taps, our_taps: functions that give the taps of a step.
        """
        what = ours and ours["what"]
        errors = [m["error"] for m in (theirs, ours) if m and m.get("error")]
        if errors and not self._fails:
            text = f"it fails step by step, and did not as a whole: {errors[0]}"
            event = (ours or theirs or {}).get("event", 0)
            found = Difference("error", "program", event, "the comparison", text)
            return found, None
        if theirs is None or ours is None or theirs["what"] != what:
            self._comparison.add(theirs, ours)
            return self._comparison.first, None
        if what == "step":
            return self.judge.step(theirs, ours, their_taps, our_taps)
        if what == "begin":
            return self.judge.begin(theirs, ours)
        if what == "model":
            self.judge.model(theirs, ours)
            return None, values_by_number(theirs)
        if ours.get("event", 0) < self._event:
            return None, None
        # These weights were judged at each step.
        known = self.judge.ill_conditioned
        theirs, ours = (_without(message, known) for message in (theirs, ours))
        self._comparison.add(theirs, ours)
        return self._comparison.first, None


def _without(message, paths):
    if not (arrays := message.get("arrays")):
        return message
    return {**message, "arrays": {p: x for p, x in arrays.items() if p not in paths}}


def values_by_number(message: dict) -> dict[int, np.ndarray]:
    """{number: array} of the weights that a message tells.

    Args:
        message: with "arrays".
    """
    return {i: array for i, (_, array) in enumerate(message["arrays"].values())}
