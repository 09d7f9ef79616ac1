"""Base classes of the cells of recurrent layers: dropout, and steps in two parts."""

from collections.abc import Callable

import jax.numpy as jnp

from minikeras import activations, random
from minikeras.core import platform
from minikeras.core.variable import Variable
from minikeras.layers.layer import Layer
from minikeras.random.seed_generator import SeedGenerator


def gated_product(x, kernel, masks=None):
    """x · kernel, with dropout masks on the inputs.

    Args:
        x: (…, n).
        kernel: (n, gates · units).
        masks: None; (batch, n); or a list of such masks, one for each gate.

    Returns:
        (…, gates · units).
    """
    if masks is None:
        return x @ kernel
    if not isinstance(masks, list):
        return (x * masks) @ kernel
    blocks = jnp.split(kernel, len(masks), axis=-1)
    parts = [(x * m) @ k for m, k in zip(masks, blocks, strict=True)]
    return jnp.concatenate(parts, axis=-1)


class DropoutCell(Layer):
    """A cell whose dropout masks of inputs and states are the same in all steps.

    A mask is drawn when it is first needed, and reused until it is reset. The layer
    that loops over the steps resets the masks after each call.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: SeedGenerator
    _mk_dropout_mask = _mk_recurrent_dropout_mask = None
    # None: all gates share one mask; otherwise a list of one mask for each gate.
    _mk_mask_count: int | None = None

    def _mk_uses_dropout(self, rate):
        """Is there a mask for this rate? In Keras a rate of 1 drops nothing here."""
        return 0 < rate < 1

    def _mk_draw_mask(self, like, rate):
        """One mask, or a list of `_mk_mask_count` masks, shaped as the array `like`."""

        def mask():
            return random.dropout(jnp.ones_like(like), rate, seed=self.seed_generator)

        count = self._mk_mask_count
        return mask() if count is None else [mask() for _ in range(count)]

    def get_dropout_mask(self, step_input):
        """Return the mask(s) of the inputs.

        Args:
            step_input: (batch, n_in), inputs of one step, which give the shape.

        Returns:
            Array of 0 and 1 / (1 - dropout), a list of them if each gate has its own,
            or None without dropout.
        """
        if self._mk_dropout_mask is None and self._mk_uses_dropout(self.dropout):
            self._mk_dropout_mask = self._mk_draw_mask(step_input, self.dropout)
        return self._mk_dropout_mask

    def get_recurrent_dropout_mask(self, step_input):
        """Return the mask(s) of the states.

        Args:
            step_input: (batch, units), a state, which gives the shape.

        Returns:
            Array of 0 and 1 / (1 - recurrent_dropout), a list of them if each gate has
            its own, or None without recurrent dropout.
        """
        rate = self.recurrent_dropout
        if self._mk_recurrent_dropout_mask is None and self._mk_uses_dropout(rate):
            self._mk_recurrent_dropout_mask = self._mk_draw_mask(step_input, rate)
        return self._mk_recurrent_dropout_mask

    def reset_dropout_mask(self):
        """Discard the mask of the inputs: the next call draws a new one."""
        self._mk_dropout_mask = None

    def reset_recurrent_dropout_mask(self):
        """Discard the mask of the states: the next call draws a new one."""
        self._mk_recurrent_dropout_mask = None

    def _mk_draw_masks(self, inputs, states):
        """Return both masks, for the inputs and states of the first step."""
        masks = self.get_dropout_mask(inputs)
        return masks, self.get_recurrent_dropout_mask(states[0])

    def _mk_reset_masks(self):
        """Discard both masks."""
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()


class RecurrentCell(DropoutCell):
    """A cell whose step has two parts, of which only the second one reads the state.

    The first part, `_mk_project_inputs`, can be computed for all steps at once before
    the loop. The loop then computes the second part, `_mk_update_states`.
    """

    units: int
    state_size: int | list[int]
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None
    activation: Callable
    recurrent_activation: Callable
    use_bias: bool
    unit_forget_bias: bool
    _mk_gates = 1

    def _mk_set_arguments(self, arguments):
        """Set the arguments as attributes, with dropout rates clipped to [0, 1]."""
        super()._mk_set_arguments(arguments)
        # Keras clips rates outside of [0, 1] instead of rejecting them.
        self.dropout = min(1.0, max(0.0, self.dropout))
        self.recurrent_dropout = min(1.0, max(0.0, self.recurrent_dropout))

    def _mk_recurrent_weight(self, shape):
        return self.add_weight(
            shape,
            self.recurrent_initializer,
            name="recurrent_kernel",
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )

    def _mk_build_kernels(self, n_in):
        width = self._mk_gates * self.units
        self.kernel = self._mk_weight("kernel", (n_in, width))
        self.recurrent_kernel = self._mk_recurrent_weight((self.units, width))

    def _mk_forget_bias(self, n):
        """The (4 n,) bias of an LSTM: 1 for the forget gate with `unit_forget_bias`."""

        def with_forget_bias(shape, dtype):
            input_part, rest = (
                self.bias_initializer((size,), dtype=dtype) for size in (n, 2 * n)
            )
            return jnp.concatenate([input_part, jnp.ones((n,), dtype), rest])

        return self.add_weight(
            (4 * n,),
            with_forget_bias if self.unit_forget_bias else self.bias_initializer,
            name="bias",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def _mk_project_inputs(self, inputs, masks):
        """The part of a step that reads the inputs alone: inputs · kernel + bias.

        Args:
            inputs: (batch, …), or all steps: (steps, batch, …).
            masks: dropout masks of `get_dropout_mask`, or None.
        """
        z = gated_product(inputs, self.kernel.value, masks)
        return z if self.bias is None else z + self.bias.value

    def _mk_projects_all_steps_first(self):
        """Is one product over the inputs of all steps faster than one in each step?

        On GPUs and TPUs it is: the loop launches half of the products. CPUs are faster
        with both products in the loop, where the inputs are in the cache, unless the
        projection makes the inputs smaller.
        """
        n_in, width = self.kernel.shape
        return not platform.is_cpu() or width <= n_in

    def _mk_has_gate_masks(self):
        """Are there masks of states, or an own mask of the inputs for each gate?"""
        return self.recurrent_dropout > 0 or self._mk_mask_count is not None

    def _mk_apply_gates(self, z, states):
        """The new states from z = projected inputs + h · recurrent_kernel."""
        raise NotImplementedError

    def _mk_apply_gates_is_pure(self):
        """Can a step be computed from z and the states alone?

        It can if the step is `_mk_apply_gates`, and that reads only its arguments. A
        user's activation may read a Variable, so only the library's own activations
        count. A user's subclass may replace another method of the step, so the class
        itself must define `_mk_apply_gates`.
        """
        used = self.activation, getattr(self, "recurrent_activation", self.activation)
        names = [getattr(function, "__name__", "") for function in used]
        library = [getattr(activations, name, None) for name in names]
        return "_mk_apply_gates" in vars(type(self)) and used == tuple(library)

    def _mk_update_states(self, projected, states, masks):
        """The new states: _mk_apply_gates(projected + h · recurrent_kernel, states).

        Args:
            projected: output of `_mk_project_inputs` for this step.
            states: list of arrays.
            masks: dropout masks of `get_recurrent_dropout_mask`, or None.
        """
        product = gated_product(states[0], self.recurrent_kernel.value, masks)
        return self._mk_apply_gates(projected + product, states)

    def call(self, inputs, states, training=False):
        """Compute one step.

        Args:
            inputs: (batch, n_in).
            states: list of arrays (batch, units), or the array itself if there is one.
            training: bool, whether to apply dropout.

        Returns:
            (output (batch, units), new states in the form of `states`).
        """
        is_single = not isinstance(states, (list, tuple))
        states = [states] if is_single else states
        masks, recurrent_masks = self._mk_step_masks(inputs, states, training)
        projected = self._mk_project_inputs(inputs, masks)
        states = self._mk_update_states(projected, states, recurrent_masks)
        return states[0], states[0] if is_single else states

    def _mk_step_masks(self, inputs, states, training):
        """The dropout masks of inputs and states; None, None outside of training."""
        return self._mk_draw_masks(inputs, states) if training else (None, None)

    def get_initial_state(self, batch_size=None):
        """Return the states before the first step: zeros.

        Args:
            batch_size: int, number of sequences.

        Returns:
            List of arrays (batch_size, units).
        """
        sizes = self.state_size if isinstance(self.state_size, list) else [self.units]
        return zero_states(batch_size, sizes, self.compute_dtype)


class GatedCell(RecurrentCell):
    """A cell with gates, each of which has its own block of the kernels.

    The gates share one dropout mask of the inputs. With recurrent dropout, or with
    `implementation=1`, each gate has its own masks.
    """

    implementation = 2

    def _mk_take_implementation(self, arguments):
        """Read `implementation`, an argument of Keras 2 that old configs contain."""
        self.implementation = arguments.pop("implementation", 2)

    @property
    def _mk_mask_count(self):
        shared = self.implementation != 1 and not self.recurrent_dropout
        return None if shared else self._mk_gates


def zero_states(batch_size, sizes, dtype):
    """List of zeros, (batch_size, size) for each size."""
    return [jnp.zeros((batch_size, size), dtype) for size in sizes]
