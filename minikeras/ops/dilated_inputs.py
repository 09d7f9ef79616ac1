"""Convolutions of inputs with zeros between their entries, as some without them.

The values of a strided transposed convolution, and its kernel's gradient, are
convolutions with `lhs_dilation`. Both functions here take the parameters of
`lax.conv_general_dilated_p` and a function `convolve(lhs, rhs, **parameters)`.
"""

import itertools

import jax.numpy as jnp
from jax import lax


def _cut(x, axes, pads):
    """Entries cut off where padding is negative: (the rest, padding that is not).

    XLA's convolutions may read beyond arrays there.
    """
    config = [(0, 0, 0)] * x.ndim
    for axis, (low, high) in zip(axes, pads, strict=True):
        config[axis] = (min(low, 0), min(high, 0), 0)
    x = lax.pad(x, jnp.zeros((), x.dtype), config)
    return x, tuple((max(low, 0), max(high, 0)) for low, high in pads)


def swapped(lhs, rhs, places, convolve, params):
    """The gradient in a kernel, with inputs and the outputs' gradient swapped.

    dw[k] = Σ_i x[i] · g[s·i + low - k·d], s the distance of the entries of x. Read
    from its end, that is the gradient in the kernel of a convolution of g with stride
    s and outputs like x: XLA computes it 8 to 40 times as fast as it skips zeros.

    Args:
        lhs, rhs: x and g; their examples are where others have the channels.
        places: tuple, the sizes of the window.
        params: those of XLA's primitive; no `rhs_dilation`.
    """
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    pads = []
    for axis, g_axis, size, (low, _), step, spread in zip(
        lhs_spec[2:],
        rhs_spec[2:],
        places,
        params["padding"],
        params["window_strides"],
        params["lhs_dilation"],
        strict=True,
    ):
        before = (size - 1) * step - low
        reach = (size - 1) * step + (lhs.shape[axis] - 1) * spread + 1
        after = reach - rhs.shape[g_axis] - before
        pads.append((before, after))
    rhs, pads = _cut(rhs, rhs_spec[2:], pads)
    ones = (1,) * len(places)
    # Both have their examples where a plain convolution has the channels.
    numbers = lax.ConvDimensionNumbers(
        (rhs_spec[0], rhs_spec[1], *rhs_spec[2:]),
        (lhs_spec[0], lhs_spec[1], *lhs_spec[2:]),
        (out_spec[1], out_spec[0], *out_spec[2:]),
    )
    moves = {
        "padding": pads,
        "lhs_dilation": ones,
        "rhs_dilation": params["lhs_dilation"],
        "dimension_numbers": numbers,
    }
    return lax.rev(convolve(rhs, lhs, **{**params, **moves}), out_spec[2:])


def _phases(size, step, low, place, entries):
    """What the places r, r + step, … of the outputs see, for each r, along one axis.

    Returns:
        List of (first entry of the window, how many, step apart; padding (low, high)).
    """
    count = -(-place // step)
    for r in range(step):
        first = (low - r) % step
        taps = len(range(first, size, step))
        offset = (r + first - low) // step
        yield first, taps, (-offset, count + offset + taps - 1 - entries)


def by_phases(x, w, steps, places):
    """Outputs that lie `spread` apart see the same entries of the window, the others
    see zeros: a plain convolution for each such set, of a part of the kernel.

    Args: as `convolution_as_products.by_rows`; no strides, no dilation.
    """
    spread, window, rank = steps.spread, w.shape[:-2], len(places)
    counts = [-(-place // step) for place, step in zip(places, spread, strict=True)]
    lows = [low for low, _ in steps.pads]
    axes = zip(window, spread, lows, places, x.shape[1:-1], strict=True)
    space = "DHW"[-rank:]
    layout = (f"N{space}C", f"{space}IO", f"N{space}C")
    parts = []
    for phase in itertools.product(*(list(_phases(*axis)) for axis in axes)):
        firsts, taps, pads = zip(*phase, strict=True)
        if 0 in taps:
            parts.append(jnp.zeros((x.shape[0], *counts, w.shape[-1]), x.dtype))
            continue
        kernel = w[tuple(map(slice, firsts, window, spread))]
        seen, pads = _cut(x, range(1, rank + 1), pads)
        ones = (1,) * rank
        parts.append(
            lax.conv_general_dilated(seen, kernel, ones, pads, dimension_numbers=layout)
        )
    y = jnp.stack(parts, -2).reshape(x.shape[0], *counts, *spread, -1)
    order = [axis for i in range(1, rank + 1) for axis in (i, i + rank)]
    y = y.transpose(0, *order, 2 * rank + 1)
    sizes = [n * step for n, step in zip(counts, spread, strict=True)]
    y = y.reshape(x.shape[0], *sizes, w.shape[-1])
    return y[(slice(None), *map(slice, places))]
