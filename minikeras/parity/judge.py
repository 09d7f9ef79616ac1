"""One step of both sides, from equal numbers: where it parts, or that it does not.

The taps of the step tell the order of causes: data, layers forward, the loss, layers
backward, gradients of weights, the optimizer, the layers' state, the metrics. The first
of these that parts by more than what came before it explains is the place.
"""

import json
from typing import Any

import numpy as np

from minikeras.parity.compare import aligned, call_in_words
from minikeras.parity.distance import (
    EPSILON,
    apart,
    half_epsilon,
    size,
    worst_element,
)
from minikeras.parity.verdict import Difference

# A value may be this many times further apart than all that it is computed from.
_GROWTH = 30
# Rounding of a sum, in units of epsilon times the sum of the magnitudes of its terms.
_ULPS = 64
# A gradient agrees where it does to this, and its update must then to `_UPDATE`.
_AGREES, _UPDATE = 1e-5, 1e-4


class Judge:
    """Compares steps, and knows what rounding has made of each weight.

    Args:
        tolerance: relative difference that counts as rounding.
    """

    def __init__(self, tolerance: float):
        self.tolerance, self.steps = tolerance, 0
        self.ill_conditioned: dict[str, str] = {}
        self.before: dict[str, Any] = {}
        self.configs: dict[str, str] = {}
        self.their_configs: dict[str, str] = {}

    def model(self, theirs: dict, ours: dict) -> None:
        """Learn the configs of the layers.

        Args:
            theirs, ours: messages "model".
        """
        self.configs |= ours["configs"] | ours["optimizers"]
        self.their_configs |= theirs["configs"] | theirs["optimizers"]

    def begin(
        self, theirs: dict, ours: dict
    ) -> tuple[Difference | None, dict[int, np.ndarray]]:
        """(difference or None, what ours has to take over) before the first step.

        Args:
            theirs, ours: messages "begin".
        """
        self.before = {path: a for path, _, a, _ in aligned(theirs, ours)}
        for path, kind, a, b in aligned(theirs, ours):
            if kind == "slot" and a.ndim == 0 and apart(a, b, 0.0) > 1e-6:
                name, call = path.partition(":")[0], call_in_words(ours)
                text = f"before the first step {path!r} is {worst_element(a, b)}"
                return Difference("optimizer", name, ours["event"], call, text), {}
        return None, _corrections(theirs, ours)

    def step(
        self, theirs: dict, ours: dict, their_taps: Any, our_taps: Any
    ) -> tuple[Difference | None, dict[int, np.ndarray]]:
        """Compare a step; returns (difference or None, what ours has to take over).

        Args:
            theirs, ours: messages "step".
            their_taps, our_taps: functions that give the step's taps.
        """
        self.steps += 1
        difference = None
        if self._looks_apart(theirs, ours):
            difference = Step(self, theirs, ours, their_taps(), our_taps()).difference()
        self.before = {path: a for path, _, a, _ in aligned(theirs, ours)}
        return difference, _corrections(theirs, ours)

    def _looks_apart(self, theirs, ours):
        pairs = [(a, b) for _, _, a, b in aligned(theirs, ours)]
        pairs += [(theirs["values"].get(k), v) for k, v in ours["values"].items()]
        return any(a is None or apart(a, b) > 2e-6 for a, b in pairs)


class Step:
    """A step that looks apart, with its taps.

    Args:
        judge: knows the state before the step.
        theirs, ours: messages.
        their_taps, our_taps: (what, name, class, array) of each tap.
    """

    def __init__(self, judge, theirs, ours, their_taps, our_taps):
        self.judge, self.theirs, self.ours = judge, theirs, ours
        self.taps = their_taps, our_taps
        self.call, self.number = call_in_words(ours), ours["step"]
        # The largest difference so far that rounding explains.
        self.reached = 8 * EPSILON
        # (path of a weight, is its gradient only rounding, how far it is apart)
        self.gradients: list[tuple[str, bool, float]] = []

    def difference(self) -> Difference | None:
        """The first place that parts; None if rounding explains all."""
        return (
            self._data()
            or self._forward()
            or self._backward()
            or self._weight_gradients()
            or self._updates()
            or self._state()
            or self._values()
        )

    def _made(self, what, name, text, distance=None):
        event = self.ours["event"]
        return Difference(what, name, event, self.call, text, self.number, distance)

    def _pairs(self, *kinds):
        """Taps of some kinds, side by side; a Difference where they are unlike."""
        sides = [[t for t in taps if t[0] in kinds] for taps in self.taps]
        for a, b in zip(*sides, strict=False):
            if (a[0], a[2]) != (b[0], b[2]):
                text = f"{a[2] or a[0]} {a[1]!r} there, {b[2] or b[0]} {b[1]!r} here"
                return self._made("layer", b[1], text)
        if len(sides[0]) != len(sides[1]) and "output gradient" not in kinds:
            short = min(map(len, sides))
            where, side = ("there", sides[0]) if len(sides[0]) > short else (
                "here", sides[1]
            )  # fmt: skip
            what, name, kind, _ = side[short]
            return self._made("layer", name, f"its {what} ({kind}) is {where} alone")
        return list(zip(*sides, strict=False))

    def _data(self):
        pairs = self._pairs("argument", "output", "target")
        if isinstance(pairs, Difference):
            return None  # said in its place, with the masks
        is_batch = True  # until a layer has computed something
        for a, b in pairs:
            is_batch = is_batch and b[0] != "output"
            if b[0] == "target" or is_batch:
                if (distance := apart(a[3], b[3])) > self.judge.tolerance:
                    name = b[1] if b[0] == "target" else "x"
                    text = f"the batch differs: {worst_element(a[3], b[3])}"
                    return self._made("data", name, text, distance)
        return None

    def _forward(self):
        kinds = ("argument", "output", "penalty", "loss")
        pairs = self._pairs(*kinds, "operation")
        if isinstance(pairs, Difference):
            # Keras records operations where ours computes without one.
            pairs = self._pairs(*kinds)
        if isinstance(pairs, Difference):
            return pairs
        last = "the input"
        for a, b in pairs:
            distance = apart(a[3], b[3], 0.0)
            if self._is_apart(distance, a[3], b[3]):
                what, name, text = self._forward_place(b, last)
                text += worst_element(a[3], b[3]) + self._unlike_config(name)
                return self._made(what, name, text, distance)
            self.reached = max(self.reached, distance)
            last = repr(b[1])
        return None

    def _forward_place(self, tap, last):
        """(what, name, text) of a value that parts though all before it agrees."""
        what, name, kind, _ = tap
        if what == "argument":
            text = (
                f"what {kind} {name!r} is given differs, all before ({last}) agrees: "
            )
            return "layer", name, text + "it is computed between layers: "
        if what == "output" and (text := self._unlike_mask(name)):
            return "mask", name, text
        if what == "penalty":
            text = "a penalty of a regularizer or `add_loss` differs: "
            return "loss", f"penalty {name}", text
        if what == "loss":
            text = "the loss differs, outputs and targets do not: "
            return "loss", self.ours["loss"], text
        if what == "output" and self._has_drawn(name):
            return "draw", name, f"what {kind} drew differs: "
        return "layer", name, f"output of {kind} differs, its inputs do not: "

    def _has_drawn(self, name):
        """Has the layer drawn random numbers in this step?"""
        return any(
            kind == "draw"
            and path.startswith(f"{name}/")
            and not np.array_equal(self.judge.before.get(path), b)
            for path, kind, _, b in aligned(self.theirs, self.ours)
        )

    def _unlike_mask(self, name):
        """Says how the masks differ that a layer is given; "" if they do not."""
        masks = [
            [t[3] for t in taps if t[0] == "mask" and t[1] == name]
            for taps in self.taps
        ]
        if len(masks[0]) != len(masks[1]):
            where = "there" if masks[0] else "here"
            text = f"the layer is given a mask {where} alone"
            lost = [t[1] for t in self.taps[1] if t[0] == "mask"]
            kept = {t[1] for t in self.taps[1] if t[0] == "output mask"}
            ends = [x for x in lost if x not in kept]
            return text + (f", the mask here ends at {ends[0]!r}; " if ends else "; ")
        unlike = [p for p in zip(*masks, strict=True) if not np.array_equal(*p)]
        if not unlike:
            return ""
        return f"the masks it is given differ: {worst_element(*unlike[0])}; "

    def _is_apart(self, distance, *arrays):
        """Apart by more than rounding, and than what came before?"""
        coarse = max(map(half_epsilon, arrays))
        limit = max(self.judge.tolerance, _GROWTH * self.reached, 4 * coarse)
        return distance > limit and max(map(size, arrays)) > 1e-30

    def _unlike_config(self, name):
        """Says which settings of a layer are unlike on both sides."""
        both = [
            json.loads(configs.get(name, "{}"))
            for configs in (self.judge.their_configs, self.judge.configs)
        ]
        keys = [k for k in both[1] if k in both[0] and both[0][k] != both[1][k]]
        keys = [k for k in keys if not isinstance(both[1][k], (dict, list))]
        texts = [f"{k}={both[0][k]!r} there, {both[1][k]!r} here" for k in keys]
        return f" ({'; '.join(texts)})" if texts else ""

    def _backward(self):
        pairs = self._pairs("output gradient", "argument gradient")
        if isinstance(pairs, Difference):
            return pairs
        largest = 0.0
        for a, b in pairs:
            largest = max(largest, size(a[3]))
            distance = apart(a[3], b[3], 1e-6 * largest)
            if self._is_apart(distance, a[3], b[3]):
                what, name, kind, _ = b
                text = f"backward through {kind} differs, what reaches it does not: "
                if what == "output gradient":
                    text = (
                        f"the gradient that reaches {kind} differs, all after agrees: "
                    )
                text += worst_element(a[3], b[3])
                return self._made("gradient", name, text, distance)
            self.reached = max(self.reached, distance)
        return None

    def _weight_gradients(self):
        pairs = self._pairs("weight gradient")
        if isinstance(pairs, Difference):
            return pairs
        for a, b in pairs:
            noise = self._noise(b[1])
            gap = size(a[3].astype("float64") - b[3]) if _alike(a, b) else np.inf
            distance = apart(a[3], b[3], 0.0)
            self.gradients.append((b[1], size(b[3]) <= noise, distance))
            if gap <= noise:
                continue
            if self._is_apart(distance, a[3], b[3]):
                text = f"its gradient differs: {worst_element(a[3], b[3])}"
                return self._made("gradient", b[1], text, distance)
        return None

    def _noise(self, path):
        """What rounding may make of the gradient of a weight: its terms, in ulps."""
        own = []
        for name in reversed(path.replace(":", "/").split("/")):  # the innermost layer
            own = [t for t in self.taps[1] if t[1] == name]
            if any(what == "output gradient" for what, *_ in own):
                break
        inputs = 1.0
        if not path.endswith("embeddings"):  # whose inputs are indices, no factors
            given = [x for what, *_, x in own if what == "argument"]
            inputs = max([inputs, *(size(x) for x in given if x.dtype.kind in "fc")])
        total = 0.0
        for what, *_, x in own:
            if what == "output gradient" and x.size:
                units = np.abs(x.astype("float64")).reshape(
                    -1, x.shape[-1] if x.ndim else 1
                )
                total += float(units.sum(0).max())
        return _ULPS * EPSILON * total * inputs

    def _updates(self):
        """The optimizer: where gradients agree, weights have to."""
        their_grads, our_grads = (
            {t[1]: t[3] for t in taps if t[0] == "weight gradient"}
            for taps in self.taps
        )
        for path, kind, a, b in aligned(self.theirs, self.ours):
            before = self.judge.before.get(path)
            if kind != "weight" or before is None or before.shape != b.shape:
                continue
            if path not in our_grads:
                continue
            theirs, ours = their_grads.get(path), our_grads[path]
            if theirs is None or theirs.shape != b.shape:
                continue
            if difference := self._update(path, before, (a, b), (theirs, ours)):
                return difference
        return None

    def _update(self, path, before, after, grads):
        theirs, ours = (g.astype("float64") for g in grads)
        magnitude = np.maximum(np.abs(theirs), np.abs(ours))
        noise = self._noise(path)
        sure = (np.abs(theirs - ours) <= _AGREES * magnitude) & (magnitude > noise)
        sure |= theirs == ours  # also where both are 0
        moves = [x.astype("float64") - before for x in after]
        move = np.maximum(*map(np.abs, moves))
        gap = np.abs(moves[0] - moves[1])
        rounding = 8 * EPSILON * np.maximum(np.abs(before), np.abs(after[1]))
        wrong = sure & (gap > _UPDATE * move + rounding)
        if wrong.any():
            place = np.unravel_index(np.argmax(wrong * gap), gap.shape)
            text = f"equal gradients move {path!r} by {moves[0][place]:.6g} there, "
            text += f"{moves[1][place]:.6g} here{self._unlike_slot()}"
            name = self._optimizer()
            return self._made("optimizer", name, text + self._unlike_config(name))
        far = gap > self.judge.tolerance * np.maximum(np.abs(after[1]), 0.1)
        if far.any():
            share = f"{int(far.sum())} of {far.size} values"
            is_zero = magnitude.max() <= noise
            why = f"the gradient of {share} is smaller than what rounding makes of it"
            if is_zero:
                why = f"the gradient of {share} is 0 in exact arithmetic: at most "
                why += f"{magnitude.max():.1e}, rounding of its sum makes {noise:.1e}"
            self.judge.ill_conditioned.setdefault(path, why)
        return None

    def _optimizer(self):
        paths = [path for path, kind, *_ in aligned(self.theirs, self.ours)
                 if kind == "slot"]  # fmt: skip
        return paths[0].partition(":")[0] if paths else "optimizer"

    def _unlike_slot(self):
        for path, kind, a, b in aligned(self.theirs, self.ours):
            if kind == "slot" and apart(a, b, 0.0) > _UPDATE:
                return f"; its variable {path!r} has {worst_element(a, b)}"
        return ""

    def _state(self):
        """What is no trained weight: averages, counters of draws."""
        trained = {t[1] for t in self.taps[1] if t[0] == "weight gradient"}
        for path, kind, a, b in aligned(self.theirs, self.ours):
            distance = apart(a, b)
            if kind == "slot" and self._is_slot_apart(path, a, b):
                text = f"its variable {path!r} has {worst_element(a, b)}"
                return self._made("optimizer", path.partition(":")[0], text, distance)
            if kind == "slot" or path in trained:
                continue
            if distance > max(self.judge.tolerance, _GROWTH * self.reached):
                what = "draw" if kind == "draw" else "state"
                text = f"after the step: {worst_element(a, b)}"
                return self._made(what, path, text, distance)
        return None

    def _is_slot_apart(self, path, a, b):
        """Apart by more than the gradients are?"""
        if a.ndim == 0 or a.dtype.kind in "biu":
            return apart(a, b, 0.0) > 1e-6
        name = path.rpartition("/")[2]
        for weight, is_noise, distance in self.gradients:
            if name.startswith(weight.replace("/", "_")):
                limit = max(self.judge.tolerance, _GROWTH * distance)
                return not is_noise and apart(a, b, 0.0) > limit
        return False  # whose it is, is not known: what it does to weights was compared

    def _values(self):
        theirs, ours = self.theirs["values"], self.ours["values"]
        if list(theirs) != list(ours):
            text = f"{list(theirs)} there, {list(ours)} here"
            return self._made("metric", "logs", text)
        for name, b in ours.items():
            distance = apart(theirs[name], b)
            if distance > max(self.judge.tolerance, _GROWTH * self.reached):
                what = "output" if "predict" in self.ours["of"] else "metric"
                text = "outputs and targets agree, the value does not: "
                text += worst_element(theirs[name], b)
                return self._made(what, name or self.ours["model"], text, distance)
        return None


def _alike(a, b):
    return a[3].shape == b[3].shape


def _corrections(theirs, ours):
    """{number: their array} of what differs, for ours to take over."""
    number = {path: i for i, path in enumerate(ours["arrays"])}
    return {
        number[path]: a
        for path, _, a, b in aligned(theirs, ours)
        if a.shape == b.shape
        and not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    }
