"""Numbers that replace None while shapes are traced, and errors that say None again."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax

from minikeras.core.keras_tensor import KerasTensor

# The two sizes that replace None, in two traces of one call. An output size that
# differs between the traces depends on a None. All of 1 to 10, 12, 14, 15 and 16
# divide 5040 = 7! and 10080, so `reshape(x, (-1, 8))` and splits of an unknown size
# can be traced. A multiple of 5040 is hardly ever a size that a user wrote, so
# messages can show each one as None.
SIZES_FOR_NONE = (5040, 10080)

# Whole numbers, also in `float32[5040,3]` and `5040x3`; no part of a name or a decimal.
_NUMBER = re.compile(r"(?<![\w.])\d+(?![A-WYZa-wyz_\d]|\.\d)")
# A smaller number in another message of the chain may be an axis, a rank or a count
# that has nothing to do with the unknown size.
_SMALL = 100


def restore_none(
    error: BaseException,
    trace: Callable[[int], Any],
    fills: tuple[int, int] = SIZES_FOR_NONE,
) -> None:
    """Write None in an error's messages where the trace had a number for it.

    The call is traced once more with a third size for None. The numbers of the message
    that change come from unknown sizes, whatever was computed from them.

    Args:
        error: the exception; its text is changed in place.
        trace: `trace(fill)` fails again, with the size `fill` in the place of None.
        fills: sizes that replaced None when the error was raised.
    """
    text = _text(error)
    if text is None or not _NUMBER.search(text):
        return
    # A third size, which is in no message yet and has the divisors of the others.
    again = _message(trace, 3 * max(*fills, SIZES_FOR_NONE[1]))
    numbers = {n for n in _NUMBER.findall(text) if int(n) in fills}
    numbers |= {n for n in _NUMBER.findall(text) if _is_fill(int(n))}
    # Only messages with the same words can be compared number by number: with another
    # size the call may fail elsewhere, or not at all.
    if again is not None and _NUMBER.split(again) == _NUMBER.split(text):
        pairs = zip(_NUMBER.findall(text), _NUMBER.findall(again), strict=True)
        changed = [a != b for a, b in pairs]
        numbers |= {n for n, c in zip(_NUMBER.findall(text), changed, strict=True) if c}
        rest = iter(changed)
        text = _NUMBER.sub(lambda m: "None" if next(rest) else m[0], text)
    else:
        text = _with_none(text, numbers)
    _rewrite(error, text)
    # A traceback prints the whole chain, so the causes say None too.
    large = {n for n in numbers if int(n) >= _SMALL}
    for cause in _chain(error):
        if (text := _text(cause)) is not None:
            _rewrite(cause, _with_none(text, large))


def guesses(
    tensors: Sequence[KerasTensor], sizes: Iterable[int] | None = None
) -> Iterator[tuple[tuple[tuple[int, int], int], ...]]:
    """Combine unknown sizes with known ones that they may be equal to.

    Guesses about few axes come before guesses about many. All axes that broadcast to
    one known size are guessed together.

    Args:
        tensors: KerasTensors.
        sizes: of other arguments of the call; those that the tensors have are added.
            None: unknown sizes are guessed only where they meet a known one.

    Yields:
        (((tensor, axis), size), …), tensor and axis by number.
    """
    # The order is what keeps calls below the limit of `_MAX_GUESSES`: k unknown axes
    # and n sizes have n ** k combinations, and most calls need one axis.
    nones = [(i, d) for i, x in enumerate(tensors) for d in _nones(x.shape)]
    if sizes is not None:
        yield ()
        sizes = {*sizes, *(n for x in tensors for n in x.shape if n is not None)}
        # 1 comes last: it broadcasts with every size, so it would hide the right one.
        sizes = (*sorted(sizes - {1}), 1)
        yield from ((pair,) for pair in itertools.product(nones, sizes))
    yield from _by_axis(tensors, nones)
    for count in range(2, len(nones) + 1) if sizes is not None else ():
        for chosen in itertools.combinations(nones, count):
            for values in itertools.product(sizes, repeat=count):
                yield tuple(zip(chosen, values, strict=True))


def _by_axis(tensors, nones):
    """Give all unknown sizes of an axis, counted from the end, the axis's known size.

    Args:
        tensors: KerasTensors that broadcast with each other.
        nones: [(tensor, axis)] of the unknown sizes, by number.

    Yields:
        (((tensor, axis), size), …), for one axis, then for two of them, and so on.
    """
    known = {}  # {axis, counted from the end: size}
    for x in tensors:
        for axis, size in enumerate(x.shape, -x.ndim):
            if size not in (None, 1):
                known[axis] = size
    places = [(i, d, d - tensors[i].ndim) for i, d in nones]
    for count in range(1, len(known) + 1):
        for axes in itertools.combinations(known, count):
            guess = tuple(((i, d), known[k]) for i, d, k in places if k in axes)
            if guess:
                yield guess


def _nones(shape):
    return [d for d, size in enumerate(shape) if size is None]


def shown_shape(x: Any) -> tuple[int | None, ...]:
    """The shape of an array, with None for the sizes that replaced it in a trace."""
    # A concrete array of 5040 samples has really 5040 of them.
    traced = isinstance(x, jax.core.Tracer)
    return tuple(None if traced and _is_fill(size) else size for size in x.shape)


def _is_fill(number):
    return number > 0 and number % SIZES_FOR_NONE[0] == 0


def _with_none(text, numbers):
    return _NUMBER.sub(lambda m: "None" if m[0] in numbers else m[0], text)


def _message(trace, fill):
    try:
        trace(fill)
    except Exception as error:
        return _text(error)
    return None


def _text(error):
    first = error.args[0] if error.args else None
    return first if isinstance(first, str) else None


def _rewrite(error, text):
    error.args = (text, *error.args[1:])


def _chain(error):
    """The errors that this one came from."""
    seen = {id(error)}
    while (error := error.__cause__ or error.__context__) is not None:
        if id(error) in seen:
            return
        seen.add(id(error))
        yield error
