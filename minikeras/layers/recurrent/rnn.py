"""RNN: a loop of any cell over the steps of a sequence."""

import jax
import jax.numpy as jnp

from minikeras.core.bridge import Frame, current
from minikeras.core.serialization import (
    deserialize_keras_object,
)
from minikeras.core.tree import is_shape
from minikeras.core.variable import Variable
from minikeras.layers.layer import Layer
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.recurrence import recurrence
from minikeras.layers.recurrent.scan import (
    scan_steps,
    select_unmasked,
    step_masks,
    unrolled_steps,
)
from minikeras.layers.recurrent.stacked_rnn_cells import (
    StackedRNNCells,
    as_list,
    initial_states,
    output_size,
    takes_training,
)


class RNN(Layer):
    """A recurrent layer with any cell.

    output_t, states_t = cell(x_t, states_(t-1)); a masked step keeps the states.

    Args:
        cell: layer with `call(inputs, states) -> (output, new states)` and
            `state_size`, an int or a list of ints. It may have `output_size`, by
            default the first state size, and `get_initial_state(batch_size)`, by
            default zeros. A list of cells is stacked.
        return_sequences: bool, whether to return the outputs of all steps, not only the
            last one.
        return_state: bool, whether to also return the final states.
        go_backwards: bool, whether to start with the last step; sequences of outputs
            are in the order in which the steps were computed.
        stateful: bool, whether to start with the final states of the previous call. The
            batch size must be fixed. As in Keras on JAX, compiled steps of `fit` and
            `predict` do not update the states: each batch starts with the same ones.
        unroll: bool, whether to compile one copy of the cell for each step instead of a
            loop.
        zero_output_for_mask: bool, whether to return zeros at masked steps instead of
            the previous state.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, …).
    Output shape: (batch, …), or (batch, steps, …) with `return_sequences`; with
    `return_state` a tuple of it and the final states.

    Raises:
        ValueError: a cell without `call` or `state_size`; in a call of a `stateful`
            layer: the batch size is unknown, or has changed.

    >>> cells = [keras.layers.GRUCell(3), keras.layers.GRUCell(4)]
    >>> keras.layers.RNN(cells)(np.ones((2, 5, 3))).shape
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
        """Build the cell, and create the states of a `stateful` layer.

        Args:
            sequences_shape: (batch, steps, …).
            initial_state_shape: shapes of the initial states; not used.
        """
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
            self.cell.built = True
        if self.stateful:  # after the cell: a ConvLSTM's states need its input shape
            self._mk_create_states(sequences_shape)

    def _mk_create_states(self, shape):
        """Create the Variables of `states` for sequences of this shape."""
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

        # `build` may run in a trace; the Variables must hold concrete arrays.
        with jax.core.eval_context():
            states = self.get_initial_state(shape[0])
        self.states = jax.tree_util.tree_map(variable, states)

    def get_initial_state(self, batch_size):
        """Return the states before the first step, in a list.

        Args:
            batch_size: int, number of sequences.
        """
        return as_list(initial_states(self.cell, batch_size, self.compute_dtype))

    def reset_state(self):
        """Set the states of a `stateful` layer to zeros."""
        for state in jax.tree_util.tree_leaves(self.states):
            state.assign(jnp.zeros(state.shape))

    reset_states = reset_state

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Compute all steps.

        Args:
            sequences: (batch, steps, …).
            initial_state: array or list of arrays, one for each state; None starts with
                `get_initial_state`, or where the last call of a `stateful` layer ended.
            mask: (batch, steps) bools, False for steps to skip; None for none.
            training: bool, whether to apply dropout.

        Returns:
            Output (batch, …), or (batch, steps, …) with `return_sequences`; with
            `return_state` a tuple of it and the final states.
        """
        states = self._mk_initial_states(sequences, initial_state)
        has_dropout = hasattr(self.cell, "_mk_draw_masks")
        if has_dropout:  # before the loop: the seed counter cannot change inside of it
            self.cell._mk_draw_masks(sequences[:, 0], states)
        inputs, autocast = sequences, current().autocast
        if self._mk_can_split_step() and not self._mk_keeps_outer_dtypes(sequences):
            # The loop skips the cell's `__call__`, and TimeDistributed skips that of
            # this layer: cast here as they do.
            inputs = self.cell._mk_convert(sequences)
            autocast = self.compute_dtype if self._mk_casts() else None
        try:
            with Frame(autocast=autocast):
                last, outputs, states = self.inner_loop(inputs, states, mask, training)
        finally:
            if has_dropout:
                self.cell._mk_reset_masks()
        last, outputs, states = jax.tree_util.tree_map(
            lambda x: x.astype(self.compute_dtype), (last, outputs, states)
        )
        if self.stateful:
            jax.tree_util.tree_map(lambda v, x: v.assign(x), self.states, states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _mk_keeps_outer_dtypes(self, sequences):
        """Does the loop compute in the dtypes around the layer, not the cell's?"""
        return False

    def _mk_initial_states(self, sequences, initial_state):
        """The states to start with, in the cell's dtypes.

        Raises:
            ValueError: another number of states, or another batch size than that of a
                `stateful` layer.
        """
        batch = sequences.shape[0]
        if initial_state is None and not self.stateful:
            return self.get_initial_state(batch)
        if initial_state is None:
            initial_state = jax.tree_util.tree_map(lambda v: v.value, self.states)
            size = len(jax.tree_util.tree_leaves(initial_state)[0])
            if batch != size:
                raise ValueError(
                    f"{self.name}: the batch size of a stateful RNN is fixed: expected "
                    f"{size}, got {batch} sequences."
                )
        states: list = as_list(initial_state)
        if len(states) != self._mk_state_count:
            raise ValueError(
                f"{self.name}: expected an initial_state of {self._mk_state_count} "
                f"arrays (state sizes {self.state_size}), got {len(states)}."
            )
        # This layer cast the states to its own dtype; the cell may have another one.
        specs = jax.eval_shape(lambda: self.get_initial_state(batch))
        specs = jax.tree_util.tree_leaves(specs)
        leaves, structure = jax.tree_util.tree_flatten(states)
        if len(specs) != len(leaves):
            return states
        return structure.unflatten(
            [jnp.asarray(x, s.dtype) for x, s in zip(leaves, specs, strict=True)]
        )

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Compute all steps in a loop.

        Args:
            sequences: (batch, steps, …).
            initial_state: list of arrays.
            mask: (batch, steps) bools, or None.
            training: bool, whether to apply dropout.

        Returns:
            (last output, outputs (batch, steps, …), list of final states).
        """
        masks = None if mask is None else step_masks(mask)
        steps = jnp.swapaxes(sequences, 0, 1)
        if self._mk_can_use_recurrence(masks, training):
            outputs, states = self._mk_run_recurrence(
                steps, initial_state, masks, training
            )
            last = states[0] if masks is None else outputs[-1]
            return last, jnp.swapaxes(outputs, 0, 1), states
        step, steps = self._mk_step(steps, initial_state, training)
        if self.unroll:
            run, options = unrolled_steps, {}
        else:
            run, options = scan_steps, {"zero_masked": self.zero_output_for_mask}
        outputs, states = run(
            step, steps, initial_state, masks, self.go_backwards, **options
        )
        last = outputs[-1]
        if masks is None and self._mk_can_split_step():
            last = states[0]  # the same values; XLA need not store the outputs
        return last, jnp.swapaxes(outputs, 0, 1), states

    def _mk_can_use_recurrence(self, masks, training):
        """Can `recurrence`, with its faster kernel gradients, compute all steps?"""
        cell = self.cell
        return (
            not self.unroll
            and self._mk_can_split_step()
            and cell._mk_apply_gates_is_pure()
            and (masks is None or masks.ndim == 2)
            and not (training and cell._mk_has_gate_masks())
        )

    def _mk_run_recurrence(self, steps, states, masks, training):
        """(outputs in the order of computation, final states) by `recurrence`."""
        cell, reverse = self.cell, self.go_backwards
        dropout_mask = cell.get_dropout_mask(steps[0]) if training else None
        # Integer inputs get the dtype that their product with the kernel has.
        steps = steps.astype(jnp.result_type(steps, cell.kernel.value))
        # Read the weights in their own dtype: `recurrence` casts them.
        with Frame(autocast=None):
            bias = None if cell.bias is None else cell.bias.value
            weights = cell.kernel.value, bias, cell.recurrent_kernel.value
        project_first = cell._mk_projects_all_steps_first()
        run = recurrence(cell._mk_apply_gates, project_first, reverse)
        steps = steps if dropout_mask is None else steps * dropout_mask
        outputs, states = run(steps, weights, states, masks)
        if masks is not None and self.zero_output_for_mask:
            outputs = select_unmasked(masks, outputs, jnp.zeros_like(outputs))
        return jnp.flip(outputs, 0) if reverse else outputs, states

    def _mk_step(self, steps, states, training):
        """(function of a step's inputs and states, inputs of all steps)"""
        cell = self.cell
        if not self._mk_can_split_step():
            mode = {"training": training} if takes_training(cell) else {}
            return lambda x, states: cell(x, states, **mode), steps
        masks = recurrent_masks = None
        if training:
            masks = cell.get_dropout_mask(steps[0])
            recurrent_masks = cell.get_recurrent_dropout_mask(states[0])
        project_first = cell._mk_projects_all_steps_first()
        if project_first:
            steps = cell._mk_project_inputs(steps, masks)

        def step(x, states):
            projected = x if project_first else cell._mk_project_inputs(x, masks)
            states = cell._mk_update_states(projected, states, recurrent_masks)
            return states[0], states

        return step, steps

    def _mk_can_split_step(self):
        """May the loop call `_mk_project_inputs` and `_mk_update_states` of the cell?

        Not if a subclass of the cell replaces `call`, or if the cell has another
        policy.
        """
        cell = self.cell
        return (
            getattr(type(cell), "call", None) is RecurrentCell.call
            and cell.dtype_policy.name == self.dtype_policy.name
        )

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Return (batch, size) or (batch, steps, size), and the shapes of the states.

        Args:
            sequences_shape: (batch, steps, …).
            initial_state_shape: not used.
        """
        batch, steps = sequences_shape[:2]
        output = (batch, output_size(self.cell))
        states = [_state_shape(batch, size) for size in self.state_size]
        return self._mk_all_shapes(output, states, steps)

    def _mk_all_shapes(self, output, states, steps):
        """Add steps and state shapes to an output shape, as the settings say."""
        if self.return_sequences:
            output = (output[0], steps, *output[1:])
        return (output, *states) if self.return_state else output

    def compute_mask(self, _, mask):
        """Return the inputs' mask for sequences of outputs, None for states.

        Args:
            _: the inputs, not used.
            mask: (batch, steps) bools, or a list that starts with them.
        """
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return [mask, *[None] * self._mk_state_count] if self.return_state else mask

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a layer with a new cell from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects)
        return super().from_config({"cell": cell, **config})


def check_cell(cell):
    """Raise ValueError unless the cell has `call` and a valid `state_size`."""
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
