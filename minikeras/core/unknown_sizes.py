"""Sizes that stand for None while shapes are traced, and errors without them."""

import itertools
import re

import jax

# An output size that differs between the traces with the one and with the other is
# None too. Both divide by all small numbers, so that reshapes of unknown sizes work.
SIZES_FOR_NONE = (5040, 10080)

_NUMBER = re.compile(r"(?<![\w.])\d+(?![A-WYZa-wyz_\d]|\.\d)")
_SMALL = 100  # a number that is met elsewhere in a chain of errors may be another one


def unfilled(error, trace, fills=SIZES_FOR_NONE):
    """Let the messages of an error that came out of a trace speak of None.

    The call is traced once more with another size for None: the numbers that are
    others in its message come from unknown sizes, whatever was computed of them.

    Args:
        error: the exception; its text is changed in place.
        trace: `trace(fill)` fails again, with `fill` in the place of None.
        fills: sizes that stood for None when the error was raised.
    """
    text = _text(error)
    if text is None or not _NUMBER.search(text):
        return
    # A size that is in no message yet, and divides as the others do.
    again = _message(trace, 3 * max(*fills, SIZES_FOR_NONE[1]))
    numbers = {n for n in _NUMBER.findall(text) if int(n) in fills}
    numbers |= {n for n in _NUMBER.findall(text) if _multiple(int(n))}
    if again is not None and _NUMBER.split(again) == _NUMBER.split(text):
        pairs = zip(_NUMBER.findall(text), _NUMBER.findall(again), strict=True)
        changed = [a != b for a, b in pairs]
        numbers |= {n for n, c in zip(_NUMBER.findall(text), changed, strict=True) if c}
        rest = iter(changed)
        text = _NUMBER.sub(lambda m: "None" if next(rest) else m[0], text)
    else:
        text = _without(text, numbers)
    _rewrite(error, text)
    large = {n for n in numbers if int(n) >= _SMALL}
    for cause in _chain(error):
        if (text := _text(cause)) is not None:
            _rewrite(cause, _without(text, large))


def guesses(tensors, sizes=None):
    """Sizes that some of the unknown ones may turn out to be, few before many.

    All that broadcast to one known size are guessed together.

    Args:
        tensors: KerasTensors.
        sizes: of other arguments of the call; those that the tensors have are added.
            None: unknown sizes are guessed only where they meet a known one.

    Yields:
        (((tensor, axis), size), …), tensor and axis by number.
    """
    nones = [(i, d) for i, x in enumerate(tensors) for d in _nones(x.shape)]
    if sizes is not None:
        yield ()
        sizes = {*sizes, *(n for x in tensors for n in x.shape if n is not None)}
        sizes = (*sorted(sizes - {1}), 1)  # 1 is the last: it broadcasts to all others
        yield from ((pair,) for pair in itertools.product(nones, sizes))
    yield from _by_axis(tensors, nones)
    for count in range(2, len(nones) + 1) if sizes is not None else ():
        for chosen in itertools.combinations(nones, count):
            for values in itertools.product(sizes, repeat=count):
                yield tuple(zip(chosen, values, strict=True))


def _by_axis(tensors, nones):
    known = {}  # by the axis, counted from the end
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


def shown_shape(x):
    """The shape of an array for a message, with None for sizes that stand for it."""
    traced = isinstance(x, jax.core.Tracer)
    return tuple(None if traced and _multiple(size) else size for size in x.shape)


def _multiple(number):
    return number > 0 and number % SIZES_FOR_NONE[0] == 0


def _without(text, numbers):
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
