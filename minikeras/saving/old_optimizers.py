"""The state of optimizers of older Kerases: which array belongs to which Variable."""

import reprlib
from collections.abc import Sequence
from typing import NamedTuple

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
    "m_schedule": "u_product",
    "momentum_cache": "u_product",
}
# They start anew if the file lacks them, as in tf-keras, which never writes Nadam's
# product.
_OPTIONAL = ("learning_rate", "step_counter", "dynamic_scale", "u_product")


class Arrays(NamedTuple):
    """The arrays of a state.

    Attributes:
        names: paths of Variables, or names in a file.
        shapes: of the arrays.
    """

    names: list[str]
    shapes: list[tuple[int, ...]]


def matched(
    own: Arrays, stored: Arrays, orders: Sequence[Sequence[int]], keras_version: str
) -> dict[int, int]:
    """Which array of a file belongs to which Variable of an optimizer.

    Args:
        own: the optimizer's Variables.
        stored: the arrays of the file.
        orders: orders that the weights which train may have had in the file, the
            likeliest first: for each weight its position.
        keras_version: version that wrote the file.

    Returns:
        {position of the Variable: position of the array}.

    Raises:
        FileError: a Variable has no array, one of another shape, or one of several.
    """
    scalars_alone = not any(stored.shapes)  # written before the first step
    if keras_version.partition(".")[0] not in ("1", "2"):
        count = len(stored.shapes)
        is_whole = count == len(own.shapes) or scalars_alone
        if not is_whole or own.shapes[:count] != stored.shapes:
            fault = f"It has {dict(zip(*stored, strict=True))}."
            raise FileError(fault, place="optimizer_weights")
        return {i: i for i in range(count)}
    ours = _by_slot([_slot_of_path(x) for x in own.names], own.shapes)
    theirs = _by_slot(_slots_of_names(stored.names), stored.shapes)
    for slot in [x for x in ours if x not in theirs]:
        if scalars_alone or slot in _OPTIONAL:
            del ours[slot]
    if "norm" in ours and "norm" not in theirs:  # Adamax called it v
        theirs["norm"] = theirs.pop("velocity", [])
    # Before TensorFlow the arrays had no names, but one slot came after the other, in
    # the order of the layers, or until Keras 2.0 in that of the weights' names.
    unnamed, slots = theirs.get("", []), [s for s in ours if s in _SLOTS.values()]
    if is_unnamed := bool(unnamed) and not any(s in theirs for s in slots):
        for i, slot in enumerate(slots):
            size = len(ours[slot])
            theirs[slot] = unnamed[i * size : (i + 1) * size]
    found: list[dict[int, int]] = []
    for order in orders if is_unnamed else orders[:1]:
        match = _in_order(ours, theirs, order)
        fits = all(own.shapes[i] == stored.shapes[j] for i, j in match.items())
        if len(match) == sum(map(len, ours.values())) and fits and match not in found:
            found.append(match)
    if len(found) != 1:
        fault = "Its arrays could be ordered in two ways." if found else "None fits."
        fault = f"{fault} It has {reprlib.repr(stored.names)}."
        raise FileError(fault, place="optimizer_weights")
    return found[0]


def _in_order(ours, theirs, order):
    """{position of a Variable: position of the array of its slot}"""
    match = {}
    for slot, places in ours.items():
        arrays = theirs.get(slot, [])
        if len(arrays) == len(places) == len(order):
            arrays = [arrays[i] for i in order]
        if slot == "iteration":  # one of two may be a LossScaleOptimizer's
            arrays = arrays * len(places)
        match |= dict(zip(places, arrays, strict=False))
    return match


def _by_slot(slots, shapes):
    """{name of a slot: positions of its arrays}; of a scalar likewise."""
    found = {}
    for i, slot in enumerate(slots):
        if slot == "" and shapes[i] == ():  # Keras 2 gave its counter no name
            slot = "iteration"
        found.setdefault(slot, []).append(i)
    return found


def _slot_of_path(path):
    """`adam/dense_kernel_momentum` -> `momentum`"""
    last = path.rpartition("/")[2]
    ends = [slot for slot in _SLOTS.values() if last.endswith(f"_{slot}")]
    return max(ends, key=len, default=last)


def _slots_of_names(names):
    """`Adam/m/dense/kernel:0` and the older `Adam/dense/kernel/m:0` -> `momentum`"""
    parts = [name.partition(":")[0].split("/") for name in names]
    long = [p for p in parts if len(p) > 2 or p[0] in _SLOTS]
    is_last = all(p[-1] in _SLOTS for p in long)
    found = []
    for p in parts:
        key = p[-1] if is_last or len(p) < 3 and p[0] not in _SLOTS else None
        key = key or next((x for x in p[:2] if x in _SLOTS), "")
        scalar = _SCALARS.get(p[-1], p[-1])
        is_scalar = p[-1] in _SCALARS or scalar in ("iteration", *_OPTIONAL)
        found.append(scalar if is_scalar else _SLOTS.get(key, ""))
    return found
