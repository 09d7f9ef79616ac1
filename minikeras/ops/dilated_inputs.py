"""Convolutions of dilated inputs (zeros between the entries), by plain convolutions.

XLA writes a strided transposed convolution, and the gradient of its kernel, with
`lhs_dilation`. Its CPU program multiplies by all of the zeros.
"""

import itertools

import jax.numpy as jnp
from jax import lax


def _cut(x, axes, pads):
    """Negative padding as slices: the rest of x, and padding >= 0."""
    # With negative padding, XLA's CPU convolutions may read beyond the array.
    config = [(0, 0, 0)] * x.ndim
    for axis, (low, high) in zip(axes, pads, strict=True):
        config[axis] = (min(low, 0), min(high, 0), 0)
    x = lax.pad(x, jnp.zeros((), x.dtype), config)
    return x, tuple((max(low, 0), max(high, 0)) for low, high in pads)


def swapped_kernel_gradient(lhs, rhs, out_sizes, convolve, params):
    """The gradient of a kernel, with inputs and gradient of the outputs swapped.

    dw[k] = Σᵢ x[i] · g[s·i + low - k·d], where s is the distance of the entries of x.
    Reversed in k, that is the gradient of the kernel of a convolution of g with stride
    s whose outputs are like x. It has strides where the other one has zeros between
    inputs, and XLA computes it 8 to 40 times as fast.

    Args:
        lhs: x. The axis of its samples is the one that other convolutions have for
            channels, and the same holds for g.
        rhs: g, the gradient of the outputs.
        out_sizes: tuple, the sizes of the window.
        convolve: `convolve(lhs, rhs, **params)` computes the swapped convolution.
        params: those of `lax.conv_general_dilated_p`; its `rhs_dilation` is all 1.
    """
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    pads = []
    for axis, g_axis, size, (low, _), step, dilation in zip(
        lhs_spec[2:],
        rhs_spec[2:],
        out_sizes,
        params["padding"],
        params["window_strides"],
        params["lhs_dilation"],
        strict=True,
    ):
        # With k reversed, x[i] meets g[s·i + d·k - before]; `reach` is one more than
        # the greatest s·i + d·k.
        before = (size - 1) * step - low
        reach = (size - 1) * step + (lhs.shape[axis] - 1) * dilation + 1
        after = reach - rhs.shape[g_axis] - before
        pads.append((before, after))
    rhs, pads = _cut(rhs, rhs_spec[2:], pads)
    ones = (1,) * len(out_sizes)
    # Both operands keep their axes: samples where a plain convolution has channels.
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


def _phases(size, step, low, out_size, entries):
    """The parts of the window for the outputs r, r + step, … of each r, on one axis.

    Args:
        size: entries of the window.
        step: distance of the entries of the inputs.
        low: zeros before the first input.
        out_size: number of outputs.
        entries: number of inputs.

    Yields:
        (first entry of the part, number of entries `step` apart, padding).
    """
    count = -(-out_size // step)
    for r in range(step):
        # Output r meets an input, not a zero, at window entries k with
        # (r + k - low) % step == 0.
        first = (low - r) % step
        part_size = len(range(first, size, step))
        offset = (r + first - low) // step
        padding = (-offset, count + offset + part_size - 1 - entries)
        yield first, part_size, padding


def phase_convolutions(x, w, geometry, out_sizes):
    """A convolution of dilated inputs, as one plain convolution for each phase.

    Outputs that are `lhs_dilation` apart (a phase) meet inputs at the same entries of
    the window and zeros at the others. So each phase is the plain convolution of x with
    a part of the kernel: a tenth to nine tenths of the time.

    Args:
        x: (batch, *space, channels).
        w: (*window, channels, filters).
        geometry: `ConvGeometry` with strides and rhs_dilation of 1.
        out_sizes: tuple, the sizes of the outputs.
    """
    dilation, window, rank = geometry.lhs_dilation, w.shape[:-2], len(out_sizes)
    counts = [
        -(-out_size // step) for out_size, step in zip(out_sizes, dilation, strict=True)
    ]
    lows = [low for low, _ in geometry.padding]
    axes = zip(window, dilation, lows, out_sizes, x.shape[1:-1], strict=True)
    space = "DHW"[-rank:]
    layout = (f"N{space}C", f"{space}IO", f"N{space}C")
    parts = []
    for phase in itertools.product(*(list(_phases(*axis)) for axis in axes)):
        firsts, part_sizes, pads = zip(*phase, strict=True)
        # A window shorter than the dilation leaves phases without any input.
        if 0 in part_sizes:
            parts.append(jnp.zeros((x.shape[0], *counts, w.shape[-1]), x.dtype))
            continue
        kernel = w[tuple(map(slice, firsts, window, dilation))]
        seen, pads = _cut(x, range(1, rank + 1), pads)
        ones = (1,) * rank
        parts.append(
            lax.conv_general_dilated(seen, kernel, ones, pads, dimension_numbers=layout)
        )
    # (batch, counts, phases, filters): the axis of phases moves behind its count, and
    # both together are the outputs in order, with some too many at the end.
    y = jnp.stack(parts, -2).reshape(x.shape[0], *counts, *dilation, -1)
    order = [axis for i in range(1, rank + 1) for axis in (i, i + rank)]
    y = y.transpose(0, *order, 2 * rank + 1)
    sizes = [n * step for n, step in zip(counts, dilation, strict=True)]
    y = y.reshape(x.shape[0], *sizes, w.shape[-1])
    return y[(slice(None), *map(slice, out_sizes))]
