"""Draws of merging."""

from compat.layer_cases.drawing import Case, draws


def operands(d):
    """Arrays that broadcast, of one rank or of several."""
    shape = d.shape(1, 3, (1, 2, 3))
    batch = d.choice(1, 2, 3)
    count = d.choice(2, 2, 3, 4)
    kind = d.choice("equal", "ones", "ranks")
    arrays = []
    for _ in range(count):
        own = shape
        if kind == "ones":
            own = tuple(1 if d.chance(0.3) else n for n in shape)
        elif kind == "ranks":
            own = shape[d.choice(*range(len(shape))) :]
        arrays.append(d.normal((batch, *own), scale=1.0))
    return arrays


@draws("Add Multiply Average Maximum Minimum")
def merge(d, name):
    x = operands(d)
    mask = d.bools(x[0].shape[:-1]) if x[0].ndim > 1 and d.chance(0.3) else None
    return Case({}, x, mask=mask, terms=4)


@draws("Subtract")
def subtract(d, name):
    return Case({}, operands(d)[:2])


@draws("Concatenate")
def concatenate(d, name):
    shape = (d.choice(1, 2), *d.shape(1, 3, (1, 2, 3)))
    axis = d.choice(*range(1, len(shape)), -1)
    arrays = []
    for _ in range(d.choice(2, 3, 4)):
        own = list(shape)
        own[axis] = d.choice(1, 2, 3)
        arrays.append(d.normal(own))
    kwargs = {} if axis == -1 and d.chance() else {"axis": axis}
    # Keras cannot tell a mask's axes apart if it joins along another than the steps.
    mask = d.bools(arrays[0].shape[:2]) if len(shape) == 3 and d.chance(0.4) else None
    return Case(kwargs, arrays, mask=mask)


@draws("Dot")
def dot(d, name):
    batch, n = d.choice(1, 2, 3), d.choice(1, 2, 4)
    ranks = d.choice((2, 2), (3, 3), (3, 2), (2, 3), (4, 3))
    axes = [d.choice(*range(1, rank)) for rank in ranks]
    arrays = []
    for rank, axis in zip(ranks, axes, strict=True):
        shape = [batch, *(d.choice(1, 2, 3) for _ in range(rank - 1))]
        shape[axis] = n
        arrays.append(d.normal(shape, scale=1.0))
    kwargs = {"axes": axes[0] if axes[0] == axes[1] and d.chance() else tuple(axes)}
    return Case(kwargs | d.options({"normalize": (True, False)}), arrays, terms=4)
