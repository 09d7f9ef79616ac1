"""Steps whose gradients in the kernels are single products over all steps.

h_t, … = react(x_t · W + b + h_(t-1) · U, states_(t-1))

The transpose of a scan adds x_tᵀ · dz_t to the kernel's gradient in each step. Here the
derivative is written such that what kernels and inputs give to z is one product before
the loop, in the transpose one after it; only dh_(t-1) · U is left inside. The loop
keeps z and the states, and computes the rest of `react` again, which is faster than to
store it. As a rule of forward mode it serves all of JAX's transformations.

Weights come in their own dtype and are cast to that of the inputs, which are floats, so
that their gradients are sums in the wider one: half floats would overflow.
"""

import math
from functools import partial

import jax
from jax import lax

from minikeras.layers.recurrent.scan import where_kept


def affine(x, kernel, bias):
    """x · kernel [+ bias], one product for all leading axes."""
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    z = (rows @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])
    return z if bias is None else z + bias


def _cast(arrays, dtype):
    return [None if a is None else a.astype(dtype) for a in arrays]


def _kept(keep, new, old):
    if keep is None:
        return new
    return [where_kept(keep, a, b) for a, b in zip(new, old, strict=True)]


def recurrence(react, ahead, reverse):
    """The function of all steps, from those of one.

    Args:
        react: (z, list of states) -> list of states, the first of which is h; a
            function of its arguments alone.
        ahead: are the inputs multiplied before the loop? Else in it.
        reverse: begin with the last step?

    Returns:
        (xs (steps, batch, n), (W, b, U), states, keep (steps, batch) or None) ->
        (all h (steps, batch, units), final states).
    """

    def run(xs, weights, states, keep):
        kernel, bias, own_kernel = _cast(weights, xs.dtype)

        def step(states, item):
            x, keep = item
            z = (x if ahead else affine(x, kernel, bias)) + states[0] @ own_kernel
            new = _kept(keep, react(z, states), states)
            return new, (new[0], z, states)

        xs = affine(xs, kernel, bias) if ahead else xs
        return lax.scan(step, states, (xs, keep), reverse=reverse)

    @jax.custom_jvp
    def steps(xs, weights, states, keep):
        final, (hs, _, _) = run(xs, weights, states, keep)
        return hs, final

    @steps.defjvp
    def derivative(primals, tangents):
        xs, weights, _, _ = primals
        kernel, _, own_kernel = _cast(weights, xs.dtype)
        dxs, (dkernel, dbias, down_kernel), dstates, _ = tangents
        final, (hs, zs, before) = run(*primals)
        wide_xs, wide_hs = _cast((xs, before[0]), dkernel.dtype)
        dzs = affine(wide_xs, dkernel, dbias) + affine(wide_hs, down_kernel, None)
        dzs = dzs.astype(xs.dtype) + affine(dxs, kernel, None)

        @partial(jax.checkpoint, prevent_cse=False)
        def step(dstates, item):
            dz, z, states, keep = item
            dz = dz + dstates[0] @ own_kernel
            _, new = jax.jvp(react, (z, states), (dz, dstates))
            new = _kept(keep, new, dstates)
            return new, new[0]

        items = dzs, zs, before, primals[3]
        dfinal, dhs = lax.scan(step, dstates, items, reverse=reverse)
        return (hs, final), (dhs, dfinal)

    return steps
