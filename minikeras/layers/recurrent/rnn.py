"""RNN: a cell over the steps of a sequence."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import Frame, current
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import Variable
from minikeras.layers.layer import Layer
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.recurrence import recurrence
from minikeras.layers.recurrent.scan import (
    scan_steps,
    step_masks,
    unrolled_steps,
    where_kept,
)
from minikeras.layers.recurrent.stacked_rnn_cells import (
    StackedRNNCells,
    as_list,
    initial_states,
    output_size,
    takes_training,
)
from minikeras.layers.shapes import is_shape


class RNN(Layer):
    """A recurrent layer of any cell.

    output_t, states_t = cell(x_t, states_(t-1)); masked steps change nothing.

    Args:
        cell: a layer with `state_size` (int, or a list of them), `call(inputs, states)`
            -> (output, new states) and, if they differ from the first state and from
            zeros, `output_size` and `get_initial_state(batch_size)`; or a list of
            cells, to be stacked.
        return_sequences: give the outputs of all steps, not only of the last one?
        return_state: give the final states too?
        go_backwards: begin with the last step? Sequences are given in the order in
            which the steps were taken.
        stateful: begin where the last call has ended? The batch size must be fixed.
            As in Keras on JAX, the compiled steps of `fit` and `predict` leave the
            states alone: each batch begins with the same.
        unroll: make a copy of the program for each step instead of a loop?
        zero_output_for_mask: give zeros for masked steps? Else the state before.

    Input (batch, steps, …), output (batch, …), or (batch, steps, …), and the states.

    Raises:
        ValueError: a cell without `call` or `state_size`; a `stateful` layer and a
            batch of unknown or of another size.

    >>> import numpy as np
    >>> from minikeras import layers
    >>> RNN([layers.GRUCell(3), layers.GRUCell(4)])(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    _mk_untracked = frozenset({"states"})  # no weights: Keras saves no states
    _mk_carried = ("states",)

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful = go_backwards, stateful
        self.unroll, self.zero_output_for_mask = unroll, zero_output_for_mask
        self.state_size = as_list(cell.state_size)
        self._mk_state_count = len(self.state_size)
        self.states = None
        self.supports_masking = True

    def build(self, sequences_shape, initial_state_shape=None):
        """Build the cell, and the states if they are kept."""
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if self.stateful:  # after the cell, whose shapes they may depend on
            self._mk_create_states(sequences_shape)

    def _mk_create_states(self, shape):
        """The variables `states`, for that batch size."""
        if shape[0] is None:
            raise ValueError(
                f"{self.name}: when using `stateful=True` in a RNN, the batch size "
                f"must be static, got sequences of shape {tuple(shape)}. Pass "
                "`batch_size=` or `batch_shape=` to `Input`."
            )

        def variable(value):
            return Variable(
                value, trainable=False, dtype=self.variable_dtype, name="rnn_state"
            )

        with jax.core.eval_context():
            states = self.get_initial_state(shape[0])
        self.states = jax.tree_util.tree_map(variable, states)

    def get_initial_state(self, batch_size):
        """The list of states with which the cell begins."""
        return as_list(initial_states(self.cell, batch_size, self.compute_dtype))

    def reset_state(self):
        """Set the states of a `stateful` layer to zeros."""
        for state in jax.tree_util.tree_leaves(self.states):
            state.assign(jnp.zeros(state.shape))

    reset_states = reset_state

    # -- the call -----------------------------------------------------------------

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """The output(s), and the final states if wanted."""
        states = self._mk_first_states(sequences, initial_state)
        draws = hasattr(self.cell, "_mk_draw_masks")
        if draws:  # before the loop, where nothing that is drawn could get out
            self.cell._mk_draw_masks(sequences[:, 0], states)
        inputs, autocast = sequences, current().autocast
        if self._mk_may_project() and not self._mk_is_one_function(sequences):
            # What the cell's own `__call__` does, also where only our `call` is called.
            inputs = self.cell._mk_convert(sequences)
            autocast = self.compute_dtype if self._mk_casts() else None
        try:
            with Frame(autocast=autocast):
                last, outputs, states = self.inner_loop(inputs, states, mask, training)
        finally:
            if draws:
                self.cell._mk_reset_masks()
        last, outputs, states = jax.tree_util.tree_map(
            lambda x: x.astype(self.compute_dtype), (last, outputs, states)
        )
        if self.stateful:
            jax.tree_util.tree_map(lambda v, x: v.assign(x), self.states, states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _mk_is_one_function(self, sequences):
        """Do the dtypes around it hold for its steps, too?"""
        return False

    def _mk_first_states(self, sequences, given):
        batch = sequences.shape[0]
        if given is None and not self.stateful:
            return self.get_initial_state(batch)
        if given is None:
            given = jax.tree_util.tree_map(lambda v: v.value, self.states)
            size = len(jax.tree_util.tree_leaves(given)[0])
            if batch != size:
                raise ValueError(
                    f"{self.name}: the batch size of a stateful RNN is fixed: expected "
                    f"{size}, got {batch} sequences."
                )
        states: list = as_list(given)
        if len(states) != self._mk_state_count:
            raise ValueError(
                f"{self.name}: expected an initial_state of {self._mk_state_count} "
                f"arrays (state sizes {self.state_size}), got {len(states)}."
            )
        # The cell may compute in another dtype than this layer, which cast them.
        like = jax.eval_shape(lambda: self.get_initial_state(batch))
        like = jax.tree_util.tree_leaves(like)
        leaves, tree = jax.tree_util.tree_flatten(states)
        if len(like) != len(leaves):
            return states
        return tree.unflatten(
            [jnp.asarray(x, s.dtype) for x, s in zip(leaves, like, strict=True)]
        )

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """The steps.

        Args:
            sequences: (batch, steps, …).
            initial_state: list of arrays.
            mask: (batch, steps) or None.
            training: bool.

        Returns:
            (last output, outputs (batch, steps, …), list of final states).
        """
        keep = None if mask is None else step_masks(mask)
        steps = jnp.swapaxes(sequences, 0, 1)
        if self._mk_is_recurrence(keep, training):
            outputs, states = self._mk_recurrence(steps, initial_state, keep, training)
            last = states[0] if keep is None else outputs[-1]
            return last, jnp.swapaxes(outputs, 0, 1), states
        step, steps = self._mk_step(steps, initial_state, training)
        if self.unroll:
            run, more = unrolled_steps, {}
        else:
            run, more = scan_steps, {"zero_masked": self.zero_output_for_mask}
        outputs, states = run(
            step, steps, initial_state, keep, self.go_backwards, **more
        )
        last = outputs[-1]
        if keep is None and self._mk_may_project():
            last = states[0]  # the same, and XLA need not keep the outputs
        return last, jnp.swapaxes(outputs, 0, 1), states

    def _mk_is_recurrence(self, keep, training):
        """Are all steps one `recurrence`, whose gradients are single products?"""
        cell = self.cell
        return (
            not self.unroll
            and self._mk_may_project()
            and cell._mk_applies_gates()
            and (keep is None or keep.ndim == 2)
            and not (training and cell._mk_drops_by_gate())
        )

    def _mk_recurrence(self, steps, states, keep, training):
        """(outputs in the order of the steps taken, states) of a cell that reacts."""
        cell, back = self.cell, self.go_backwards
        drop = cell.get_dropout_mask(steps[0]) if training else None
        # Integers, say: they become what their product with the kernel would be.
        steps = steps.astype(jnp.result_type(steps, cell.kernel.value))
        with Frame(autocast=None):
            bias = None if cell.bias is None else cell.bias.value
            weights = cell.kernel.value, bias, cell.recurrent_kernel.value
        run = recurrence(cell._mk_apply_gates, cell._mk_projects_ahead(), back)
        steps = steps if drop is None else steps * drop
        outputs, states = run(steps, weights, states, keep)
        if keep is not None and self.zero_output_for_mask:
            outputs = where_kept(keep, outputs, jnp.zeros_like(outputs))
        return jnp.flip(outputs, 0) if back else outputs, states

    def _mk_step(self, steps, states, training):
        """(function of a step's input and states, inputs of all steps)."""
        cell = self.cell
        if not self._mk_may_project():
            mode = {"training": training} if takes_training(cell) else {}
            return lambda x, states: cell(x, states, **mode), steps
        drop = recurrent_drop = None
        if training:
            drop = cell.get_dropout_mask(steps[0])
            recurrent_drop = cell.get_recurrent_dropout_mask(states[0])
        if cell._mk_projects_ahead():
            steps, project = cell._mk_project(steps, drop), lambda z, drop: z
        else:
            project = cell._mk_project

        def step(x, states):
            states = cell._mk_advance(project(x, drop), states, recurrent_drop)
            return states[0], states

        return step, steps

    def _mk_may_project(self):
        """May `cell._mk_project` and `cell._mk_advance` stand for the cell's call?"""
        cell = self.cell
        return (
            getattr(type(cell), "call", None) is RecurrentCell.call
            and cell.dtype_policy.name == self.dtype_policy.name
        )

    # -- shapes, masks, configuration ---------------------------------------------

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """(batch, size) or (batch, steps, size), and those of the states."""
        batch, steps = sequences_shape[:2]
        output = (batch, output_size(self.cell))
        states = [_state_shape(batch, size) for size in self.state_size]
        return self._mk_all_shapes(output, states, steps)

    def _mk_all_shapes(self, output, states, steps):
        if self.return_sequences:
            output = (output[0], steps, *output[1:])
        return (output, *states) if self.return_state else output

    def compute_mask(self, _, mask):
        """The inputs' mask for sequences; none for states."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask, *[None] * self._mk_state_count] if self.return_state else mask

    def get_config(self):
        """The constructor's arguments; the cell as its own config."""
        return {**super().get_config(), "cell": serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new layer of a new cell."""
        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects)
        return super().from_config({"cell": cell, **config})


def check_cell(cell):
    """ValueError unless the cell has `call` and a `state_size`."""
    if not hasattr(cell, "call"):
        raise ValueError(
            "Argument `cell` should have a `call` method: (inputs, states) -> (output, "
            f"new states). Received: cell={cell!r}"
        )
    if not hasattr(cell, "state_size"):
        raise ValueError(
            "The RNN cell should have a `state_size` attribute (an integer, or a list "
            f"of integers, one for each state). Received: cell={cell!r}"
        )
    if not isinstance(cell.state_size, (int, list, tuple)):
        raise ValueError(
            "state_size must be an integer, or a list/tuple of integers (one for each "
            f"state). Received: cell.state_size={cell.state_size!r}"
        )


def _state_shape(batch, size):
    if is_shape(size):
        return [(batch, n) for n in size]
    return (batch, size)
