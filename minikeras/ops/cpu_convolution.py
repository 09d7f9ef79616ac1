"""Convolutions with other programs on CPUs, where XLA's own are slow.

`with_cpu_rules(function)` is `function` with each of its XLA convolutions replaced by
the primitive below, which has one lowering rule for CPUs and one for other platforms.
The derivatives and batches of a convolution are convolutions too. So this one rule
serves values, gradients of inputs and kernels, forward mode and higher derivatives.
GPUs and TPUs keep XLA's convolution. CPUs keep it too, except for:

| convolution | computed as |
|---|---|
| one input channel to a group (depthwise) | sum over the window of slice · scale |
| other groups | one convolution for each group |
| window of one entry; 3-D | products, one for each row of the window |
| kernel's gradient: strided transposed, one filter | inputs and gradient swapped |
| strided transposed, 16 filters or more | one plain convolution for each phase |
| at most 6 filters, no strides, large | one product for the window, then shifted sums |
| any, in the body of a loop (`Frame.in_loop`) | products |

There XLA takes 1.5 to 100 times as long (most in depthwise and grouped gradients, and
in loops). Elsewhere a product is not faster, because it copies slices first.
Half floats are summed in float32.
"""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive, jaxpr_as_fun
from jax.interpreters import ad, batching, mlir

from minikeras.core.bridge import current
from minikeras.ops.convolution_as_products import (
    ConvGeometry,
    depthwise,
    depthwise_kernel_gradient,
    kernel_gradient_by_rows,
    row_products,
    shifted_sums,
)
from minikeras.ops.dilated_inputs import phase_convolutions, swapped_kernel_gradient

# Entries of a window. Each costs a slice in the program, so that larger windows are
# left to XLA.
_MAX_WINDOW_SIZE = 64
# Strides of 2 along both axes make four phases: with fewer entries of the window, some
# phases have none.
_MIN_PHASE_WINDOW_SIZE = 4
# `shifted_sums` writes an array of window · filters channels: worth it only for few.
_MAX_SUMMED_FILTERS = 6
# Multiply-adds. Below, the shorter program of XLA saves more time in compilation than
# the faster one saves in steps.
_MIN_SUMMED_SIZE = 1 << 20
# Floats in a register of AVX-512: products of fewer columns leave it partly empty.
_VECTOR = 16
_MIN_DEPTHWISE_CHANNELS = 2 * _VECTOR


def _suits_products(window_size, rank):
    # A window of one entry is a matrix product of the inputs, without any copy.
    return window_size == 1 or rank == 3


def _suits_phases(w, geometry):
    """Would XLA multiply by many zeros between the inputs?"""
    # Milliseconds by XLA and in phases: 2x2 at 32x16x16x64 -> 32: 6.8, 2.1; 3x3 at
    # 128x14x14x64 -> 32: 12, 6; 4x4 at 64x14x14x16 -> 64: 40, 4. With fewer filters the
    # products of the phases are too narrow.
    plain = max(geometry.rhs_dilation) == 1 and len(geometry.lhs_dilation) == 2
    large = math.prod(w.shape[:-2]) >= _MIN_PHASE_WINDOW_SIZE
    return plain and large and w.shape[-1] >= _VECTOR


def _choose_program(x, w, geometry, groups, loop) -> Callable | None:
    """The fastest function for the convolution; None for XLA's."""
    *window, channels, filters = w.shape
    window_size, rank = math.prod(window), len(window)
    dilated_inputs = max(geometry.lhs_dilation) > 1
    strided = max(geometry.strides) > 1
    if window_size > _MAX_WINDOW_SIZE:
        return None
    if channels == 1 and x.shape[-1] == groups:
        return depthwise
    # `_on_cpu` splits groups and calls this function for each.
    if groups > 1 or (dilated_inputs and strided):
        return None
    # Phases are convolutions of XLA's again, which are slow in loops.
    if dilated_inputs and not loop and _suits_phases(w, geometry):
        return phase_convolutions
    products = loop or _suits_products(window_size, rank)
    if dilated_inputs:
        return shifted_sums if products else None
    # The size of a symbolic batch is not known yet and counts as one.
    size = math.prod(n for n in x.shape if isinstance(n, int))
    large = size * window_size * filters >= _MIN_SUMMED_SIZE
    if filters <= _MAX_SUMMED_FILTERS and window_size > 1 and not strided and large:
        return shifted_sums
    return row_products if products else None


def _choose_kernel_gradient(x, g, geometry, window, groups, loop) -> Callable | None:
    """The fastest function for the gradient of a kernel; None for XLA's."""
    window_size, channels = math.prod(window), x.shape[-1]
    if window_size > _MAX_WINDOW_SIZE or max(geometry.lhs_dilation) > 1:
        return None
    if groups > 1:
        # Fewer channels are split into one convolution for each group.
        many = channels == groups >= (1 if loop else _MIN_DEPTHWISE_CHANNELS)
        return depthwise_kernel_gradient if many else None
    # One input channel: the first layer on grey images.
    single = channels == 1 and g.shape[-1] >= _VECTOR
    products = loop or _suits_products(window_size, len(window))
    return kernel_gradient_by_rows if products or single else None


def _by_faster_program(lhs, rhs, shape, params, loop):
    """The convolution by a program faster than XLA's; None if there is none."""
    (n, c, *space), (o, i, *window), out = params["dimension_numbers"]
    sizes = tuple(shape[axis] for axis in out[2:])
    groups = params["feature_group_count"], params["batch_group_count"]
    strides, padding = params["window_strides"], params["padding"]
    rhs_dilation, lhs_dilation = params["rhs_dilation"], params["lhs_dilation"]
    # JAX writes the gradient of a kernel as a convolution whose channels are the
    # samples and whose kernel is the gradient of the outputs. Only there the channels
    # come before the batch: for channels last (n, c) is then (3, 0).
    if n > c and groups[0] == 1:
        geometry = ConvGeometry(rhs_dilation, padding, strides, lhs_dilation)
        x, g = lhs.transpose(c, *space, n), rhs.transpose(i, *window, o)
        function = _choose_kernel_gradient(x, g, geometry, sizes, groups[1], loop)
        operands, order = (x, g), (*out[2:], out[0], out[1])
    elif groups[1] == 1:
        geometry = ConvGeometry(strides, padding, rhs_dilation, lhs_dilation)
        x, w = lhs.transpose(n, *space, c), rhs.transpose(*window, i, o)
        function = _choose_program(x, w, geometry, groups[0], loop)
        operands, order = (x, w), (out[0], *out[2:], out[1])
    else:
        return None
    if function is None:
        return None
    # The functions know one layout, (batch, *space, channels).
    return function(*operands, geometry, sizes).transpose(*np.argsort(order))


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
    """Is it the gradient of a kernel that is faster with both operands swapped?"""
    # Zeros between the inputs become strides: 8 to 40 times as fast. One filter becomes
    # one channel: 5x5 at 64x28x28x64 takes 20 ms, swapped 7.
    (n, c, *_), (o, *_), _ = params["dimension_numbers"]
    groups = params["feature_group_count"] * params["batch_group_count"]
    if n < c or groups > 1 or max(params["rhs_dilation"]) > 1:
        return False
    single = rhs.shape[o] == 1 and lhs.shape[n] >= _VECTOR
    return single or max(params["lhs_dilation"]) > 1


def _xla(lhs, rhs, loop=False, **params):
    """XLA's own convolution."""
    return lax.conv_general_dilated_p.bind(lhs, rhs, **params)


def _on_cpu(lhs, rhs, loop=False, **params):
    """The convolution by the program that is fastest on CPUs."""
    out = jax.eval_shape(partial(_xla, **params), lhs, rhs)
    # Rare cases are left to XLA: empty arrays, integers, complex numbers, no axes.
    empty = any(0 in array.shape for array in (out, lhs, rhs))
    if empty or lhs.ndim < 3 or not jnp.issubdtype(out.dtype, jnp.floating):
        return _xla(lhs, rhs, **params)
    if _suits_swapping(lhs, rhs, params):
        sizes = tuple(out.shape[axis] for axis in params["dimension_numbers"][2][2:])
        return swapped_kernel_gradient(
            lhs, rhs, sizes, partial(_on_cpu, loop=loop), params
        )
    # Sums over a window lose digits in half floats: the result is rounded once.
    kind = out.dtype if out.dtype.itemsize > 2 else jnp.float32
    result = _by_faster_program(
        lhs.astype(kind), rhs.astype(kind), out.shape, params, loop
    )
    if result is not None:
        return result.astype(out.dtype)
    if params["feature_group_count"] * params["batch_group_count"] > 1:
        return _by_groups(lhs, rhs, {**params, "loop": loop})
    return _xla(lhs, rhs, **params)


def with_cpu_rules(function, loop=None):
    """`function` of arrays, with the primitive below for each XLA convolution.

    Args:
        function: of arrays, with one result.
        loop: does it run in the body of a loop? None for what the frame says.
    """

    def replaced(eqn):
        if eqn.primitive is not lax.conv_general_dilated_p:
            return eqn
        # In loops XLA's CPU convolutions fall to a naive program, ten times slower.
        inside = current().in_loop if loop is None else loop
        return eqn.replace(
            primitive=convolution_p, params={**eqn.params, "loop": inside}
        )

    def run(*args):
        # The parameters of XLA's primitive (padding, dimension numbers, transposition)
        # are computed by JAX: they are taken from the equation, not computed again.
        closed = jax.make_jaxpr(function)(*args)
        jaxpr = closed.jaxpr.replace(eqns=list(map(replaced, closed.eqns)))
        return jaxpr_as_fun(closed.replace(jaxpr=jaxpr))(*args)[0]

    return run


# The name of XLA's primitive: policies of `jax.checkpoint` and converters of jaxprs
# look at it.
convolution_p = Primitive("conv_general_dilated")


@convolution_p.def_effectful_abstract_eval
def _shape(lhs, rhs, loop, **params):
    return lax.conv_general_dilated_p.abstract_eval(lhs, rhs, **params)


# The rule is chosen where a program is lowered, not where it is traced: a program
# exported for a GPU from a machine without one holds XLA's convolution.
def _lower(function, platform=None):
    rule = mlir.lower_fun(function, multiple_results=False)
    mlir.register_lowering(convolution_p, rule, platform=platform)


_lower(_xla)
_lower(_on_cpu, "cpu")


# An eager call runs through `jit`, which keeps the compiled program of each shape.
@partial(jax.jit, static_argnums=2)
def _compiled(lhs, rhs, params):
    return convolution_p.bind(lhs, rhs, **dict(params))


@convolution_p.def_impl
def _eager(lhs, rhs, **params):
    return _compiled(lhs, rhs, tuple(params.items()))


def _transposed(argument):
    """The rule for the gradient of operand 0 or 1: a convolution with CPU rules."""

    def rule(g, lhs, rhs, loop, **params):
        operands = [lhs, rhs]
        unknown = operands[argument].aval

        def transpose(g, known):
            def convolve(x):
                pair = (x, known) if argument == 0 else (known, x)
                return _xla(*pair, **params)

            return jax.linear_transpose(convolve, unknown)(g)[0]

        return with_cpu_rules(transpose, loop)(g, operands[1 - argument])

    return rule


def _batched(operands, axes, loop, **params):
    # JAX's rule moves the mapped axis into the batch or into the groups.
    return with_cpu_rules(jax.vmap(partial(_xla, **params), axes), loop)(*operands), 0


ad.defbilinear(convolution_p, _transposed(0), _transposed(1))
batching.primitive_batchers[convolution_p] = _batched
