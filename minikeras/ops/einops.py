"""Axes taken apart, moved and joined, as a pattern says."""

import math
import re

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import EINOPS

__all__ = [
    "rearrange",
]  # fmt: skip


def _groups(side):
    """`"b (h w)"` -> `[["b"], ["h", "w"]]`."""
    return [
        token.strip("()").split() for token in re.findall(r"\(.*?\)|[^\s()]+", side)
    ]


def _sizes(group, total, known):
    """The sizes of the names that share one axis; one may follow from the others."""
    unknown = [name for name in group if name not in known]
    rest = math.prod(known[name] for name in group if name in known)
    if len(unknown) > 1 or (rest != total if not unknown else total % max(rest, 1)):
        raise ValueError(
            f"rearrange: an axis of size {total} cannot be taken apart as "
            f"({' '.join(group)}) with the sizes {known}: give all of them but one."
        )
    return {name: total // rest for name in unknown}


@op(tensors=("tensor", "pattern", "axes_lengths"), module=EINOPS)
def rearrange(tensor, pattern, **axes_lengths):
    """Split, move and join axes as a pattern says.

    Args:
        tensor: array.
        pattern: "names of its axes -> names of the result's axes"; names in
            parentheses share one axis, the first of them outermost.
        **axes_lengths: sizes of names in parentheses; one of each pair of parentheses
            may be left out.

    Returns:
        Array with the axes of the right side of the pattern.

    Raises:
        ValueError: the pattern does not fit the array.

    >>> rearrange([[1, 2, 3, 4]], "a (b c) -> c (a b)", c=2).tolist()
    [[1, 3], [2, 4]]
    """
    x = as_array(tensor)
    sides = [_groups(side) for side in pattern.split("->")]
    names = [[name for group in side for name in group] for side in sides]
    if len(sides) != 2 or sorted(names[0]) != sorted(names[1]):
        raise ValueError(
            "rearrange: expected a pattern 'names -> the same names in any order', got "
            f"{pattern!r}."
        )
    if len(sides[0]) != x.ndim or len(set(names[0])) != len(names[0]):
        raise ValueError(
            f"rearrange: {pattern!r} must name each of the {x.ndim} axes of an array "
            f"of shape {x.shape} once."
        )
    # A size learnt from one axis may be used by the next ones.
    known = dict(axes_lengths)
    for group, total in zip(sides[0], x.shape, strict=True):
        known |= _sizes(group, total, known)
    x = x.reshape([known[name] for name in names[0]])
    x = jnp.transpose(x, [names[0].index(name) for name in names[1]])
    return x.reshape([math.prod(known[n] for n in group) for group in sides[1]])
