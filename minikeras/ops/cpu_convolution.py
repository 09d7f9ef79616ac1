"""Convolutions that choose on a CPU how they are computed.

`choosing(function)` is `function` with each of its XLA convolutions replaced by the
primitive below. The derivatives and batches of a convolution are convolutions too, so
one choice, made where the program of a platform is written, serves values, gradients
in inputs and kernels, forward mode and higher derivatives alike. GPUs and TPUs keep
XLA's convolution; so does a CPU, except for:

| convolution | computed as |
|---|---|
| one input channel to a group (depthwise) | sum over the window of slice · scale |
| other groups | one convolution for each group |
| window of one entry; 3-D | products, one for each row of the window |
| kernel's gradient: strided transposed, one filter | inputs, gradient swapped |
| strided transposed, 16 filters or more | one plain convolution for each phase |
| at most 6 filters, no strides, large | one product for the window, then shifted sums |
| any, in the body of a loop (`in_loop`) | products |

There XLA takes 1.5 to 100 times as long (most in depthwise and grouped gradients, and
in loops); elsewhere a product, which has to copy slices first, wins nothing.
Half-precision sums are made in float32.
"""

import contextlib
import math
import threading
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive, jaxpr_as_fun
from jax.interpreters import ad, batching, mlir

from minikeras.ops.convolution_as_products import (
    Steps,
    by_rows,
    by_sums,
    depthwise,
    depthwise_kernel,
    kernel_by_rows,
)
from minikeras.ops.dilated_inputs import by_phases, swapped

_MOST_TAPS = 64  # each costs a slice in the program: larger windows are XLA's
_FEW_TAPS = 4
_FEW_FILTERS = 6
_SMALL = 1 << 20  # products: below, a shorter program is worth more than its speed
_VECTOR = 16  # floats in a register
_MANY_CHANNELS = 2 * _VECTOR


def _suits_products(taps, rank):
    return taps == 1 or rank == 3


def _suits_phases(w, steps):
    """Are there zeros between the inputs that XLA would compute with?

    In milliseconds, by XLA and in phases: 2x2 at 32x16x16x64 -> 32 6.8, 2.1; 3x3 at
    128x14x14x64 -> 32 12, 6; 4x4 at 64x14x14x16 -> 64 40, 4. With few filters the
    phases' products are too narrow.
    """
    plain = max(steps.dilation) == 1 and len(steps.spread) == 2
    return plain and math.prod(w.shape[:-2]) >= _FEW_TAPS and w.shape[-1] >= _VECTOR


def _forward(x, w, steps, groups, loop) -> Callable | None:
    """The function that computes the convolution best; None is XLA's."""
    *window, channels, filters = w.shape
    taps, rank = math.prod(window), len(window)
    spread, strided = max(steps.spread) > 1, max(steps.strides) > 1
    if taps > _MOST_TAPS:
        return None
    if channels == 1 and x.shape[-1] == groups:
        return depthwise
    if groups > 1 or (spread and strided):
        return None
    if spread and not loop and _suits_phases(w, steps):
        return by_phases
    products = loop or _suits_products(taps, rank)
    if spread:
        return by_sums if products else None
    # A size that is not known yet, of a symbolic batch, counts as one.
    size = math.prod(n for n in x.shape if isinstance(n, int))
    large = size * taps * filters >= _SMALL
    if filters <= _FEW_FILTERS and taps > 1 and not strided and large:
        return by_sums
    return by_rows if products else None


def _backward(x, g, steps, window, groups, loop) -> Callable | None:
    """The same for a gradient in the kernel."""
    taps, channels = math.prod(window), x.shape[-1]
    if taps > _MOST_TAPS or max(steps.spread) > 1:
        return None
    if groups > 1:
        many = channels == groups >= (1 if loop else _MANY_CHANNELS)
        return depthwise_kernel if many else None
    single = channels == 1 and g.shape[-1] >= _VECTOR
    products = loop or _suits_products(taps, len(window))
    return kernel_by_rows if products or single else None


def _ours(lhs, rhs, shape, params, loop):
    """The convolution of those params by the function that suits it, or None."""
    (n, c, *space), (o, i, *window), out = params["dimension_numbers"]
    sizes = tuple(shape[axis] for axis in out[2:])
    groups = params["feature_group_count"], params["batch_group_count"]
    strides, pads = params["window_strides"], params["padding"]
    dilation, spread = params["rhs_dilation"], params["lhs_dilation"]
    # Only a gradient in a kernel has the examples where others have the channels, and
    # the gradient of the outputs for a kernel.
    if n > c and groups[0] == 1:
        steps = Steps(dilation, pads, strides, spread)
        x, g = lhs.transpose(c, *space, n), rhs.transpose(i, *window, o)
        function = _backward(x, g, steps, sizes, groups[1], loop)
        operands, order = (x, g), (*out[2:], out[0], out[1])
    elif groups[1] == 1:
        steps = Steps(strides, pads, dilation, spread)
        x, w = lhs.transpose(n, *space, c), rhs.transpose(*window, i, o)
        function = _forward(x, w, steps, groups[0], loop)
        operands, order = (x, w), (out[0], *out[2:], out[1])
    else:
        return None
    if function is None:
        return None
    return function(*operands, steps, sizes).transpose(*np.argsort(order))


def _by_groups(lhs, rhs, params):
    """One convolution for each group."""
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    features = params["feature_group_count"]
    groups = features * params["batch_group_count"]
    one = {**params, "feature_group_count": 1, "batch_group_count": 1}
    parts = zip(
        jnp.split(lhs, groups, lhs_spec[1 if features > 1 else 0]),
        jnp.split(rhs, groups, rhs_spec[0]),
        strict=True,
    )
    return jnp.concatenate([_on_cpu(*pair, **one) for pair in parts], out_spec[1])


def _suits_swapping(lhs, rhs, params):
    """Is it a gradient in a kernel, of one group, that `swapped` computes faster?

    Zeros between the inputs become strides. A single filter becomes a single channel:
    5x5 at 64x28x28x64 takes 20 ms, the other way round 7.
    """
    (n, c, *_), (o, *_), _ = params["dimension_numbers"]
    groups = params["feature_group_count"] * params["batch_group_count"]
    if n < c or groups > 1 or max(params["rhs_dilation"]) > 1:
        return False
    single = rhs.shape[o] == 1 and lhs.shape[n] >= _VECTOR
    return single or max(params["lhs_dilation"]) > 1


def _xla(lhs, rhs, loop=False, **params):
    return lax.conv_general_dilated_p.bind(lhs, rhs, **params)


def _on_cpu(lhs, rhs, loop=False, **params):
    out = jax.eval_shape(partial(_xla, **params), lhs, rhs)
    empty = any(0 in array.shape for array in (out, lhs, rhs))
    if empty or lhs.ndim < 3 or not jnp.issubdtype(out.dtype, jnp.floating):
        return _xla(lhs, rhs, **params)
    if _suits_swapping(lhs, rhs, params):
        sizes = tuple(out.shape[axis] for axis in params["dimension_numbers"][2][2:])
        return swapped(lhs, rhs, sizes, partial(_on_cpu, loop=loop), params)
    kind = out.dtype if out.dtype.itemsize > 2 else jnp.float32
    result = _ours(lhs.astype(kind), rhs.astype(kind), out.shape, params, loop)
    if result is not None:
        return result.astype(out.dtype)
    if params["feature_group_count"] * params["batch_group_count"] > 1:
        return _by_groups(lhs, rhs, {**params, "loop": loop})
    return _xla(lhs, rhs, **params)


_thread = threading.local()


@contextlib.contextmanager
def in_loop():
    """Convolutions traced meanwhile will run in the body of a loop.

    XLA computes its own convolutions there ten times slower on a CPU.
    """
    before, _thread.loop = getattr(_thread, "loop", False), True
    try:
        yield
    finally:
        _thread.loop = before


def choosing(function, loop=None):
    """`function` of arrays, with each of its convolutions one that chooses.

    Args:
        loop: does it run in the body of a loop? None asks `in_loop`.
    """

    def chosen(eqn):
        if eqn.primitive is not lax.conv_general_dilated_p:
            return eqn
        inside = getattr(_thread, "loop", False) if loop is None else loop
        return eqn.replace(
            primitive=convolution_p, params={**eqn.params, "loop": inside}
        )

    def run(*args):
        closed = jax.make_jaxpr(function)(*args)
        jaxpr = closed.jaxpr.replace(eqns=list(map(chosen, closed.eqns)))
        return jaxpr_as_fun(closed.replace(jaxpr=jaxpr))(*args)[0]

    return run


# The name is XLA's: policies of `jax.checkpoint` go by it.
convolution_p = Primitive("conv_general_dilated")


@convolution_p.def_effectful_abstract_eval
def _shape(lhs, rhs, loop, **params):
    return lax.conv_general_dilated_p.abstract_eval(lhs, rhs, **params)


def _lower(function, platform=None):
    rule = mlir.lower_fun(function, multiple_results=False)
    mlir.register_lowering(convolution_p, rule, platform=platform)


_lower(_xla)
_lower(_on_cpu, "cpu")


@partial(jax.jit, static_argnums=2)
def _compiled(lhs, rhs, params):
    return convolution_p.bind(lhs, rhs, **dict(params))


@convolution_p.def_impl
def _eager(lhs, rhs, **params):
    return _compiled(lhs, rhs, tuple(params.items()))


def _transposed(argument):
    """The gradient in one operand: the transpose of XLA's convolution, choosing too."""

    def rule(g, lhs, rhs, loop, **params):
        operands = [lhs, rhs]
        unknown = operands[argument].aval

        def transpose(g, known):
            def convolve(x):
                pair = (x, known) if argument == 0 else (known, x)
                return _xla(*pair, **params)

            return jax.linear_transpose(convolve, unknown)(g)[0]

        return choosing(transpose, loop)(g, operands[1 - argument])

    return rule


def _batched(operands, axes, loop, **params):
    return choosing(jax.vmap(partial(_xla, **params), axes), loop)(*operands), 0


ad.defbilinear(convolution_p, _transposed(0), _transposed(1))
batching.primitive_batchers[convolution_p] = _batched
