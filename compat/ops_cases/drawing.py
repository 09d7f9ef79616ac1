"""What the tables are made with: `Draw`, and the decorator that fills `DRAWS`."""

import numpy as np

from compat import draw

DRAWS = {}
FLOATS = ("float32", "float32", "float32", "bfloat16", "float16")
INTS = ("int32", "int32", "uint8", "int8")
NUMBERS = (*FLOATS, "int32", "uint8")
ANY = (*NUMBERS, "bool")


def generated(name, seed):
    """(args, kwargs) of a call of the function `name`."""
    d = Draw(name, seed)
    return d.choice(*DRAWS[name])(d)


def corrupted(name, seed):
    """As `generated`, with one argument wrong; None: none can be corrupted."""
    args, kwargs = generated(name, seed)
    d, args = Draw("corrupted", name, seed), list(args)
    arrays = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]
    texts = [key for key, value in kwargs.items() if isinstance(value, str)]
    ways = ["axis"] * ("axis" in kwargs) + ["text"] * bool(texts)
    ways += ["rank", "float", "no array"] * bool(arrays) + ["size"] * bool(arrays[1:])
    if not ways:
        return None
    way = d.choice(*ways)
    if way in ("axis", "text"):
        kwargs = {**kwargs, **({"axis": 9} if way == "axis" else {texts[0]: "no"})}
        return args, kwargs
    place = arrays[0] if way in ("rank", "no array") else arrays[-1]
    x = args[place]
    args[place] = {
        "rank": np.ones(d.choice((), (1,) * 9), x.dtype),
        "float": x.astype("float32") + 0.5,
        "no array": "text",
        "size": np.ones((7, *x.shape[1:]), x.dtype),
    }[way]
    return args, kwargs


def draws(names):
    """Decorator: the function draws calls of each of `names`."""

    def enter(function):
        for name in names.split():
            DRAWS.setdefault(name, []).append(function)
        return function

    return enter


class Draw(draw.Draw):
    """Random choices, of arrays of all dtypes too."""

    def size(self, low, high):
        """low … high."""
        return int(self.rng.integers(low, high + 1))

    def any_shape(self, low=0, high=3):
        """Sizes 1 to 5; now and then an axis of none."""
        shape = list(self.shape(low, high))
        if shape and self.chance(0.04):
            shape[self.size(0, len(shape) - 1)] = 0
        return tuple(shape)

    def array(self, shape, dtypes=FLOATS, low=-3.0, high=3.0):
        """Numbers in [low, high) of one of the dtypes."""
        dtype = self.choice(*dtypes)
        if dtype == "bool":
            return self.bools(shape)
        if "int" in dtype:
            low = max(0 if dtype.startswith("u") else -9, low)
            return self.ints(shape, int(low), max(int(high) + 1, int(low) + 2), dtype)
        return self.uniform(shape, low, high, dtype)

    def axis(self, rank):
        """An axis, counted from either end."""
        return self.size(-rank, rank - 1)

    def axes(self, rank):
        """None, one axis or several."""
        if not rank or self.chance(0.3):
            return None
        if self.chance():
            return self.axis(rank)
        chosen = self.rng.permutation(rank)[: self.size(1, rank)]
        return tuple(int(a) for a in chosen)

    def pair(self, dtypes, low=-3.0, high=3.0):
        """Two arrays that broadcast, or an array and a number, in either order."""
        shape = self.any_shape()
        first = self.array(shape, dtypes, low, high)
        if self.chance(0.2):
            number = self.choice(2, 1.5) if "float" in first.dtype.name else 2
            return self.choice((first, number), (number, first))
        other = self.broadcastable(shape) if self.chance() else shape
        second = self.array(other, dtypes, low, high)
        return self.choice((first, second), (second, first))
