"""Loops over the steps of a sequence, with masks."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import isolated


def step_masks(mask):
    """Return a (batch, steps, …) mask of any dtype as (steps, batch, …) bools."""
    return jnp.swapaxes(jnp.asarray(mask).astype(bool), 0, 1)


def select_unmasked(mask, new, old):
    """Take `new` in the rows where `mask` is True and `old` in the other rows.

    Args:
        mask: bool array whose axes are the leading axes of `new`.
        new, old: arrays of equal shape.
    """
    mask = mask.reshape(mask.shape + (1,) * (new.ndim - mask.ndim))
    return jnp.where(mask, new, old)


def masked_step_output(states):
    """The output of a masked step: the state that holds the last output.

    That is the first state. With stacked cells it is the first state of the last cell.
    Keras decides by the first cell alone: if its state is not in a list, the first
    state is the output.
    """
    if not isinstance(states[0], (list, tuple)):
        return states[0]
    last = states[-1]
    return last[0] if isinstance(last, (list, tuple)) else last


def scan_steps(step, xs, states, mask=None, reverse=False, zero_masked=False):
    """Run a cell over all steps in one `lax.scan`; masked steps keep the states.

    Args:
        step: function (x, states) -> (output, states), traced once. Variables that it
            assigns (random counters) are not updated: each step reads the same values.
        xs: tree of arrays (steps, batch, …).
        states: tree of arrays (batch, …).
        mask: bool (steps, batch, …), False for masked steps; None for no mask.
        reverse: bool, whether to start with the last step.
        zero_masked: bool, whether the outputs of masked steps are zeros; otherwise they
            are `masked_step_output(states)`.

    Returns:
        (outputs (steps, batch, …) in the order of computation, final states).
    """
    structure = jax.tree_util.tree_structure(states)

    def body(states, item):
        """Run the cell on one step, and keep the states of masked rows."""
        x, mask = item
        with isolated(in_loop=True):
            output, new = step(x, states)
        # A user's cell may return its states in a tuple where they came in a list;
        # `lax.scan` wants the same structure in each step.
        new = structure.unflatten(jax.tree_util.tree_leaves(new))
        if mask is not None:
            old = jnp.zeros_like(output) if zero_masked else masked_step_output(states)
            output = select_unmasked(mask, output, old)
            new = jax.tree_util.tree_map(
                lambda a, b: select_unmasked(mask, a, b), new, states
            )
        return new, output

    states, outputs = jax.lax.scan(body, states, (xs, mask), reverse=reverse)
    # `scan` returns the outputs in the order of the inputs. XLA removes this flip
    # together with the one that a Bidirectional layer adds.
    return jnp.flip(outputs, 0) if reverse else outputs, states


def unrolled_steps(step, xs, states, mask=None, reverse=False):
    """Do the same as `scan_steps` in a Python loop: one copy of the cell a step.

    As in Keras, a masked step repeats the previous output here, and zeros if there is
    none.
    """
    structure = jax.tree_util.tree_structure(states)
    steps = range(jax.tree_util.tree_leaves(xs)[0].shape[0])
    outputs = []
    for t in reversed(steps) if reverse else steps:
        output, new = step(jax.tree_util.tree_map(lambda x, t=t: x[t], xs), states)
        new = structure.unflatten(jax.tree_util.tree_leaves(new))
        if mask is not None:
            previous = outputs[-1] if outputs else jnp.zeros_like(output)
            output = select_unmasked(mask[t], output, previous)
            new = jax.tree_util.tree_map(
                lambda a, b, t=t: select_unmasked(mask[t], a, b), new, states
            )
        outputs.append(output)
        states = new
    return jnp.stack(outputs), states
