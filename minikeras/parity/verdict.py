"""What a comparison found, as data and in words."""

import dataclasses
import math
from typing import Any

SAME, ROUNDING, DIFFERENT = "same", "rounding", "different"
UNREPEATABLE, FAILED, EMPTY = "unrepeatable", "failed", "empty"

_HEADLINES = {
    SAME: "The same: nothing parts by more than the tolerance.",
    ROUNDING: "The same but for rounding: from equal numbers, every step of both gives "
    "equal numbers.",
    DIFFERENT: "They part.",
    UNREPEATABLE: "The program does not repeat itself: nothing can be compared.",
    FAILED: "The program fails on both sides.",
    EMPTY: "Nothing was compared: the program trains and calls no model.",
}


@dataclasses.dataclass
class Difference:
    """The first place where two runs part.

    Attributes:
        what: "structure", "weight", "draw", "data", "layer", "mask", "loss",
            "gradient", "optimizer", "metric", "output", "state", "error" or "program".
        name: of the layer, metric, optimizer, generator or weight.
        event: number of the call of `fit` or the like, from 0.
        call: that call in words.
        step: of the call, from 0; None where it has none.
        text: one sentence with the numbers.
        apart: the difference, relative to the size of the values; None: not a number.
        is_found: whether steps have nothing to add: it comes before the first.
    """

    what: str
    name: str
    event: int
    call: str
    text: str
    step: int | None = None
    apart: float | None = None
    is_found: bool = False

    def __str__(self) -> str:
        step = "" if self.step is None else f", step {self.step}"
        return f"{self.what} {self.name!r} in {self.call}{step}: {self.text}"


@dataclasses.dataclass
class Verdict:
    """The outcome of a comparison.

    Attributes:
        kind: "same", "rounding", "different", "unrepeatable", "failed" or "empty".
        script, against: what was compared.
        difference: the first difference; None where there is none.
        first_seen: what the whole runs showed, before it was looked into.
        ill_conditioned: {path of a weight: why its value is rounding}.
        calls: what was compared, with the largest relative difference of each.
        worst: the largest of those.
        steps: steps that were compared one by one.
        histories: (call, theirs, ours) of each `fit`.
        seconds: {"theirs", "ours", "total"}, time of the runs.
        output: the last lines that a failing side printed.
    """

    kind: str
    script: str = ""
    against: str = ""
    difference: Difference | None = None
    first_seen: Difference | None = None
    ill_conditioned: dict[str, str] = dataclasses.field(default_factory=dict)
    calls: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    steps: int = 0
    histories: list[tuple[str, dict, dict]] = dataclasses.field(default_factory=list)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    output: str = ""

    @property
    def same(self) -> bool:
        """Did nothing part by more than rounding?"""
        return self.kind in (SAME, ROUNDING)

    @property
    def worst(self) -> float:
        """The largest relative difference of a result."""
        return max((apart for _, apart in self.calls), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON-ready data."""
        found = {**dataclasses.asdict(self), "worst": self.worst, "same": self.same}
        return _finite(found)

    def __str__(self) -> str:
        lines = [f"{self.script} against {self.against}".strip(), _HEADLINES[self.kind]]
        if self.difference is not None:
            lines.append(f"First: {self.difference}")
        if self.first_seen is not None and self.first_seen is not self.difference:
            lines.append(f"Seen in the whole run: {self.first_seen}")
        for path, why in self.ill_conditioned.items():
            lines.append(f"Ill-conditioned: {path}: {why}")
        lines.append(
            f"{len(self.calls)} calls compared, the largest relative difference "
            f"{self.worst:.1e}; {self.steps} steps one by one."
        )
        if self.output:
            lines += ["It printed last:", self.output]
        return "\n".join(lines)


def _finite(data: Any) -> Any:
    """The data with texts in the place of numbers that JSON has not."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    is_number = isinstance(data, float) and not math.isfinite(data)
    return str(data) if is_number else data
