"""Comparing what two watched runs told, call by call."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from minikeras.parity.distance import apart, worst_element
from minikeras.parity.verdict import Difference

# Weights are sums of many steps: ten times the tolerance of the results.
_WEIGHTS = 10
# Weights are compared as if the largest were at least this: biases begin with zeros.
_WEIGHT_SCALE = 0.1


class Comparison:
    """Compares the messages of both sides, in order, and keeps what was seen.

    Args:
        tolerance: relative difference of results that counts as rounding.
        same_draws: whether both sides draw alike; no: those of TensorFlow and torch.
    """

    def __init__(self, tolerance: float, same_draws: bool = True):
        self.tolerance, self.same_draws = tolerance, same_draws
        self.first: Difference | None = None
        self.calls: list[tuple[str, float]] = []
        self.histories: list[tuple[str, dict, dict]] = []

    def run(self, theirs: Iterable[dict], ours: Iterable[dict]) -> None:
        """Compare two streams to their ends.

        Args:
            theirs, ours: the messages.
        """
        theirs, ours = iter(theirs), iter(ours)
        while True:
            pair = next(theirs, None), next(ours, None)
            if pair == (None, None) or not self.add(*pair):
                break

    def add(self, theirs: dict | None, ours: dict | None) -> bool:
        """Compare a pair of messages; returns False if those that follow cannot be.

        Args:
            theirs, ours: the messages, None where a stream has ended.
        """
        if theirs is None or ours is None or _kind(theirs) != _kind(ours):
            self._note(_other_program(theirs, ours))
            return False
        for difference in self._differences(theirs, ours):
            self._note(difference)
        if "values" in ours:
            pairs = _shared(theirs["values"], ours["values"])
            worst = max((apart(a, b) for _, a, b in pairs), default=0.0)
            self.calls.append((call_in_words(ours), worst))
        if ours["what"] == "fit":
            series = [_series(message["values"]) for message in (theirs, ours)]
            self.histories.append((call_in_words(ours), *series))
        return True

    def _note(self, difference):
        if self.first is None:
            self.first = difference

    def _differences(self, theirs, ours) -> Iterator[Difference]:
        call, event = call_in_words(ours), ours.get("event", 0)
        if ours["what"] == "end" and _error(theirs) != _error(ours):
            text = f"{theirs['error'] or 'no error'} there, "
            text += f"{ours['error'] or 'no error'} here"
            yield Difference("error", "program", event, call, text, is_found=True)
        if ours["what"] == "model":
            yield from self._structure(theirs, ours, call)
        if self.same_draws:
            yield from _draws(theirs, ours, call)
        yield from self._arrays(theirs, ours, call)
        yield from self._values(theirs, ours, call)

    def _structure(self, theirs, ours, call):
        pairs = [(m["class"], *m["layers"]) for m in (theirs, ours)]
        if pairs[0] != pairs[1]:
            unlike = [(a, b) for a, b in zip(*pairs, strict=False) if a != b]
            a, b = unlike[0] if unlike else [f"{len(p) - 1} layers" for p in pairs]
            text = f"{a} there, {b} here"
            yield Difference(
                *("structure", ours["model"], ours["event"], call, text), is_found=True
            )

    def _arrays(self, theirs, ours, call):
        mine, other = ours.get("arrays", {}), theirs.get("arrays", {})
        if mine is None or other is None:  # the model is gone on one side already
            return
        pairs = zip(other.values(), mine.values(), strict=False)
        is_alike = len(other) == len(mine) and all(
            "gone" in (a[0], b[0]) or (a[0], a[1].shape) == (b[0], b[1].shape)
            for a, b in pairs
        )
        if not is_alike and self.same_draws:
            unlike = [p for p in [*other, *mine] if (p in mine) != (p in other)]
            text = f"{len(other)} weights there, {len(mine)} here; not on both: "
            text += f"{unlike[:4]}" if unlike else "none, but shapes or order differ"
            yield Difference(
                *("structure", ours["model"], ours["event"], call, text), is_found=True
            )
            return
        for path, kind, a, b in aligned(theirs, ours):
            distance = apart(a, b, _WEIGHT_SCALE)
            if ours["what"] == "model" and not self.same_draws:
                continue  # they are handed over
            if distance > self.tolerance * _WEIGHTS:
                text = worst_element(a, b)
                if ours["what"] == "model":
                    text = "initial values differ: " + text + _swapped(path, theirs, b)
                yield Difference(
                    {"weight": "weight", "slot": "optimizer"}.get(kind, kind),
                    *(path, ours["event"], call, text),
                    apart=distance,
                    is_found=ours["what"] == "model",
                )

    def _values(self, theirs, ours, call):
        mine, other = ours.get("values", {}), theirs.get("values", {})
        if list(mine) != list(other):
            alone = [[n for n in a if n not in b] for a, b in
                     ((other, mine), (mine, other))]  # fmt: skip
            text = f"{alone[0][:6]} there alone, {alone[1][:6]} here alone"
            if not any(alone):
                text = f"in the order {list(other)[:9]} there, {list(mine)[:9]} here"
            yield Difference(
                *("program", ours["what"], ours["event"], call, text), is_found=True
            )
            return
        for path, a, b in _shared(other, mine):
            if (distance := apart(a, b)) > self.tolerance:
                name, _, epoch = path.partition("/")
                at = f"epoch {epoch}: " if ours["what"] == "fit" and epoch else ""
                yield Difference(
                    "output" if "predict" in ours["what"] else "metric",
                    *(name or ours["model"], ours["event"], call),
                    at + worst_element(a, b),
                    apart=distance,
                )


def aligned(theirs: dict, ours: dict) -> Iterator[tuple[str, str, Any, Any]]:
    """(path here, kind, their array, our array) of each weight of two messages.

    Args:
        theirs, ours: messages with "arrays".
    """
    sides = [list(m.get("arrays", {}).items()) for m in (theirs, ours)]
    shapes = [[x.shape for _, (k, x) in side if k == "slot"] for side in sides]
    if shapes[0] != shapes[1]:  # optimizers of tf_keras list theirs in another order
        sides = [[item for item in side if item[1][0] != "slot"] for side in sides]
    for (_, (other, a)), (path, (kind, b)) in zip(*sides, strict=False):
        if "gone" not in (kind, other):
            yield path, kind, a, b


def call_in_words(message: dict) -> str:
    """The call that a message is about, such as "fit of 'sequential' (call 3)".

    Args:
        message: any message.
    """
    if message["what"] == "end":
        return "the end of the program"
    if message["what"] == "model":
        return f"the first use of model {message['model']!r}"
    what = message.get("of", message["what"])
    return f"{what} of {message['model']!r} (call {message['event']})"


def _error(message):
    """The error without addresses, which differ in every run."""
    return re.sub(r"0x[0-9a-f]+", "0x…", message["error"] or "")


def _kind(message):
    return message["what"], message.get("event"), message.get("of")


def _other_program(theirs, ours):
    texts = [
        "nothing more" if m is None else
        f"error {m['error']}" if m.get("error") else call_in_words(m)
        for m in (theirs, ours)
    ]  # fmt: skip
    known = ours or theirs
    return Difference(
        *("program", "order of calls", known.get("event", 0), call_in_words(known)),
        f"{texts[0]} there, {texts[1]} here",
        is_found=True,
    )


def _draws(theirs, ours, call):
    for name, (count, digest) in ours.get("draws", {}).items():
        their_count, their_digest = theirs["draws"][name]
        if digest != their_digest:
            counts = [
                "seeded anew" if n is None else f"{n} words drawn"
                for n in (their_count, count)
            ]
            text = f"{counts[0]} there, {counts[1]} here, since the call before"
            yield Difference(
                *("draw", name, ours.get("event", 0), call, text), is_found=True
            )


def _swapped(path, theirs, array):
    """Says whose values these are there: drawn in another order, or transposed."""
    for other, (_, values) in theirs["arrays"].items():
        if other != path and values.size > 1 and apart(values, array) == 0:
            return f"; they are those of {other!r} there: drawn in another order"
        if values.ndim == 2 and apart(values.T, array) == 0:
            return "; they are transposed"
    return ""


def _shared(theirs, ours):
    return [(path, theirs[path], ours[path]) for path in ours if path in theirs]


def _series(values):
    """{name: list of numbers by epoch} of a history."""
    found: dict[str, list[float]] = {}
    for path, x in values.items():
        if x.size == 1:
            found.setdefault(path.rpartition("/")[0], []).append(float(x))
    return found
