"""One step after another: what every recurrent layer does with its steps."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import isolated
from minikeras.ops.cpu_convolution import in_loop


def step_masks(mask):
    """(batch, steps, …) of any dtype -> (steps, batch, …) bool."""
    return jnp.swapaxes(jnp.asarray(mask).astype(bool), 0, 1)


def where_kept(keep, new, old):
    """`new` in the rows to keep, `old` in the others; `keep` (batch,) or longer."""
    keep = keep.reshape(keep.shape + (1,) * (new.ndim - keep.ndim))
    return jnp.where(keep, new, old)


def held_output(states):
    """What a masked step gives out: the state that stands for the last output.

    That is the first state, or with stacked cells the first of the last cell; if the
    first cell's only state stands in no list, Keras takes that one.
    """
    if not isinstance(states[0], (list, tuple)):
        return states[0]
    last = states[-1]
    return last[0] if isinstance(last, (list, tuple)) else last


def scan_steps(step, xs, states, keep=None, reverse=False, zero_masked=False):
    """Outputs and final states of x, states -> output, states over the steps.

    A masked step leaves the states as they are.

    Args:
        step: function (x, states) -> (output, states), traced once. State that it
            writes (random counters) is dropped: each step meets the same.
        xs: tree of arrays (steps, batch, …).
        states: tree of arrays (batch, …).
        keep: bool (steps, batch, …), or None.
        reverse: begin with the last step?
        zero_masked: are the outputs of masked steps zeros? Else `held_output`.

    Returns:
        (outputs (steps, batch, …) in the order of the steps taken, states).
    """
    tree = jax.tree_util.tree_structure(states)

    def one(states, item):
        x, keep = item
        with in_loop(), isolated():
            output, new = step(x, states)
        new = tree.unflatten(jax.tree_util.tree_leaves(new))
        if keep is not None:
            held = jnp.zeros_like(output) if zero_masked else held_output(states)
            output = where_kept(keep, output, held)
            new = jax.tree_util.tree_map(
                lambda a, b: where_kept(keep, a, b), new, states
            )
        return new, output

    states, outputs = jax.lax.scan(one, states, (xs, keep), reverse=reverse)
    # XLA cancels this against the flip that a Bidirectional layer adds.
    return jnp.flip(outputs, 0) if reverse else outputs, states


def unrolled_steps(step, xs, states, keep=None, reverse=False):
    """`scan_steps` as a Python loop: one copy of the program for each step.

    A masked step repeats the output before it; zeros stand before the first.
    """
    tree = jax.tree_util.tree_structure(states)
    steps = range(jax.tree_util.tree_leaves(xs)[0].shape[0])
    outputs = []
    for t in reversed(steps) if reverse else steps:
        output, new = step(jax.tree_util.tree_map(lambda x, t=t: x[t], xs), states)
        new = tree.unflatten(jax.tree_util.tree_leaves(new))
        if keep is not None:
            before = outputs[-1] if outputs else jnp.zeros_like(output)
            output = where_kept(keep[t], output, before)
            new = jax.tree_util.tree_map(
                lambda a, b, t=t: where_kept(keep[t], a, b), new, states
            )
        outputs.append(output)
        states = new
    return jnp.stack(outputs), states
