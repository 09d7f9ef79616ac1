"""The state of optimizers of older Kerases: which array belongs to which Variable."""

from collections.abc import Sequence
from typing import Any

from minikeras.saving.errors import FileError

# Names of slots in tf-keras, old and new, and today.
_SLOTS = {
    "accum_grad": "accumulated_grad",
    "accum_var": "accumulated_delta_var",
    "accumulated_delta_var": "accumulated_delta_var",
    "accumulated_grad": "accumulated_grad",
    "accumulator": "accumulator",
    "average": "average",
    "average_gradient": "average_gradient",
    "linear": "linear",
    "m": "momentum",
    "mg": "average_gradient",
    "momentum": "momentum",
    "norm": "norm",
    "rms": "velocity",
    "u": "norm",
    "v": "velocity",
    "velocity": "velocity",
    "velocity_hat": "velocity_hat",
    "vhat": "velocity_hat",
}
_SCALARS = {
    "iter": "iteration",
    "iterations": "iteration",
    "m_schedule": "variable",
    "momentum_cache": "variable",
}
_OPTIONAL = ("learning_rate", "step_counter", "dynamic_scale")
Shape = tuple[int, ...]


def matched(
    paths: Sequence[str],
    shapes: Sequence[Shape],
    names: Sequence[str],
    stored: Sequence[Shape],
    trained: Sequence[int],
    keras_version: str,
) -> dict[int, int]:
    """Which array of a file belongs to which Variable of an optimizer.

    Args:
        paths: of the optimizer's Variables.
        shapes: their shapes.
        names: of the arrays of the file.
        stored: their shapes.
        trained: position that each weight which trains had in the order of the file.
        keras_version: version that wrote the file.

    Returns:
        {position of the Variable: position of the array}.

    Raises:
        FileError: a Variable has no array, or one of another shape.
    """
    scalars_alone = not any(stored)  # written before the first step
    if keras_version.partition(".")[0] not in ("1", "2"):
        count = len(stored)
        is_whole = count == len(shapes) or scalars_alone
        if not is_whole or list(shapes[:count]) != list(stored):
            raise FileError(f"It has {dict(zip(names, stored, strict=True))}.")
        return {i: i for i in range(count)}
    ours = _by_slot([_slot_of_path(x) for x in paths], shapes)
    theirs = _by_slot(_slots_of_names(names), stored)
    if "norm" in ours and "norm" not in theirs:  # Adamax called it v
        theirs["norm"] = theirs.pop("velocity", [])
    # Before TensorFlow the arrays had no names, but one slot came after the other.
    unnamed, slots = theirs.get("", []), [s for s in ours if s in _SLOTS.values()]
    if unnamed and slots and not any(s in theirs for s in slots):
        size = len(ours[slots[0]])
        for i, slot in enumerate(slots):
            theirs[slot] = unnamed[i * size : (i + 1) * size]
    order = {}
    for slot, places in ours.items():
        # Each of two counters, one of them in a LossScaleOptimizer, is the same.
        found = theirs.get(slot, [])
        found = found * len(places) if slot == "iteration" else found
        if len(found) == len(places) == len(trained):
            found = [found[i] for i in trained]
        if not found and (slot in _OPTIONAL or scalars_alone):
            continue
        if [shapes[i] for i in places] != [stored[i] for i in found]:
            raise FileError(f"It has no {slot!r} that fits; it has {list(names)}.")
        order |= dict(zip(places, found, strict=True))
    return order


def _by_slot(slots: Sequence[str], shapes: Sequence[Shape]) -> dict[str, list[int]]:
    """{name of a slot: positions of its arrays}; of a scalar likewise."""
    found: dict[str, list[int]] = {}
    for i, slot in enumerate(slots):
        if slot == "" and shapes[i] == ():  # Keras 2 gave its counter no name
            slot = "iteration"
        found.setdefault(slot, []).append(i)
    return found


def _slot_of_path(path: Any) -> str:
    """`adam/dense_kernel_momentum` -> `momentum`"""
    last = path.rpartition("/")[2]
    ends = [slot for slot in _SLOTS.values() if last.endswith(f"_{slot}")]
    return max(ends, key=len, default=last)


def _slots_of_names(names: Sequence[str]) -> list[str]:
    """`Adam/m/dense/kernel:0` and the older `Adam/dense/kernel/m:0` -> `momentum`"""
    parts = [name.partition(":")[0].split("/") for name in names]
    long = [p for p in parts if len(p) > 2 or p[0] in _SLOTS]
    is_last = all(p[-1] in _SLOTS for p in long)
    found = []
    for p in parts:
        key = p[-1] if is_last or len(p) < 3 and p[0] not in _SLOTS else None
        key = key or next((x for x in p[:2] if x in _SLOTS), "")
        scalar = _SCALARS.get(p[-1], p[-1])
        is_scalar = p[-1] in _SCALARS or scalar in ("iteration", "learning_rate")
        found.append(scalar if is_scalar else _SLOTS.get(key, ""))
    return found
