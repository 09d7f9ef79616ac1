"""What the cells of recurrent layers have in common: dropout, and two-part steps."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from minikeras import activations, random
from minikeras.core.variable import Variable
from minikeras.layers.layer import Layer
from minikeras.random.seed_generator import SeedGenerator


def gated_product(x, kernel, masks=None):
    """x · kernel, with dropout masks on the inputs.

    Args:
        x: (…, n).
        kernel: (n, gates · units).
        masks: None, (batch, n), or a list of them, one for each gate.

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
    """A cell that drops inputs and states, the same ones in all steps.

    A mask is drawn when it is first asked for, and kept until it is reset: a layer
    over steps does so after each call.
    """

    dropout: float
    recurrent_dropout: float
    seed_generator: SeedGenerator
    _mk_dropout_mask = _mk_recurrent_dropout_mask = None
    _mk_mask_count: int | None = None  # None: one for all gates; else a list of so many

    def _mk_drops(self, rate):
        """Is there a mask? In Keras a rate of 1 is none, but for SimpleRNN."""
        return 0 < rate < 1

    def _mk_draw(self, like, rate):
        def one():
            return random.dropout(jnp.ones_like(like), rate, seed=self.seed_generator)

        count = self._mk_mask_count
        return one() if count is None else [one() for _ in range(count)]

    def get_dropout_mask(self, step_input):
        """The mask(s) for inputs of that shape; None without dropout."""
        if self._mk_dropout_mask is None and self._mk_drops(self.dropout):
            self._mk_dropout_mask = self._mk_draw(step_input, self.dropout)
        return self._mk_dropout_mask

    def get_recurrent_dropout_mask(self, step_input):
        """The mask(s) for states of that shape; None without recurrent dropout."""
        rate = self.recurrent_dropout
        if self._mk_recurrent_dropout_mask is None and self._mk_drops(rate):
            self._mk_recurrent_dropout_mask = self._mk_draw(step_input, rate)
        return self._mk_recurrent_dropout_mask

    def reset_dropout_mask(self):
        """Forget the inputs' mask: the next one is drawn anew."""
        self._mk_dropout_mask = None

    def reset_recurrent_dropout_mask(self):
        """Forget the states' mask: the next one is drawn anew."""
        self._mk_recurrent_dropout_mask = None

    def _mk_draw_masks(self, inputs, states):
        """Both masks, for the first step's inputs and states."""
        masks = self.get_dropout_mask(inputs)
        return masks, self.get_recurrent_dropout_mask(states[0])

    def _mk_reset_masks(self):
        """Forget both masks."""
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()


class RecurrentCell(DropoutCell):
    """A cell whose step has two parts: only the second one needs the state.

    The first, `_mk_project`, may be made for all steps at once when they are known,
    which leaves the smaller part of the work to the loop.
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

    def _mk_keep(self, arguments):
        """The arguments as attributes, with rates that are shares."""
        super()._mk_keep(arguments)
        # Keras brings rates outside of [0, 1] to its ends.
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
        """The (4 n,) bias of an LSTM; that of the forget gate starts at 1 if wanted."""

        def start(shape, dtype):
            parts = [self.bias_initializer((size,), dtype=dtype) for size in (n, 2 * n)]
            return jnp.concatenate([parts[0], jnp.ones((n,), dtype), parts[1]])

        return self.add_weight(
            (4 * n,),
            start if self.unit_forget_bias else self.bias_initializer,
            name="bias",
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def _mk_project(self, inputs, masks):
        """The part of a step that the inputs alone give: inputs · kernel + bias.

        Args:
            inputs: (batch, …), or all steps: (steps, batch, …).
            masks: of `get_dropout_mask`, or None.
        """
        z = gated_product(inputs, self.kernel.value, masks)
        return z if self.bias is None else z + self.bias.value

    def _mk_projects_ahead(self):
        """Is it better to project the inputs of all steps at once?

        A loop with half of the products is what GPUs and TPUs need. CPUs are faster
        with all of them while inputs are in the cache, unless projecting makes the
        inputs smaller.
        """
        n_in, width = self.kernel.shape
        return jax.default_backend() != "cpu" or width <= n_in

    def _mk_drops_by_gate(self):
        """Are there masks of states, or one mask of inputs for each gate?"""
        return self.recurrent_dropout > 0 or self._mk_mask_count is not None

    def _mk_apply_gates(self, z, states):
        """The new states, given z = what `_mk_project` gave + h · recurrent_kernel."""
        raise NotImplementedError

    def _mk_applies_gates(self):
        """Is a step `_mk_apply_gates`, and that a function of its arguments alone?

        A subclass that may change a method has to say so itself.
        """
        used = self.activation, getattr(self, "recurrent_activation", self.activation)
        names = [getattr(function, "__name__", "") for function in used]
        known = [getattr(activations, name, None) for name in names]
        return "_mk_apply_gates" in vars(type(self)) and used == tuple(known)

    def _mk_advance(self, projected, states, masks):
        """The new states: _mk_apply_gates(projected + h · recurrent_kernel, states).

        Args:
            projected: what `_mk_project` gave for this step.
            states: list of arrays.
            masks: of `get_recurrent_dropout_mask`, or None.
        """
        product = gated_product(states[0], self.recurrent_kernel.value, masks)
        return self._mk_apply_gates(projected + product, states)

    def call(self, inputs, states, training=False):
        """One step: (output, new states); a single state may stand in no list."""
        bare = not isinstance(states, (list, tuple))
        states = [states] if bare else states
        drop, recurrent_drop = self._mk_masks_for(inputs, states, training)
        states = self._mk_advance(
            self._mk_project(inputs, drop), states, recurrent_drop
        )
        return states[0], states[0] if bare else states

    def _mk_masks_for(self, inputs, states, training):
        """The masks of one step's inputs and states; None, None if not training."""
        return self._mk_draw_masks(inputs, states) if training else (None, None)

    def get_initial_state(self, batch_size=None):
        """Zeros, (batch_size, units) for each state."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.units]
        return zero_states(batch_size, sizes, self.compute_dtype)


class GatedCell(RecurrentCell):
    """A cell with gates, each of which has a block of the kernels.

    All gates share a dropout mask of the inputs; with recurrent dropout, or if
    `implementation` is 1, each has its own masks.
    """

    implementation = 2

    def _mk_take_implementation(self, arguments):
        """Keras 2's argument, which configs may still hold."""
        self.implementation = arguments.pop("implementation", 2)

    @property
    def _mk_mask_count(self):
        single = self.implementation != 1 and not self.recurrent_dropout
        return None if single else self._mk_gates


def zero_states(batch_size, sizes, dtype):
    """List of zeros, (batch_size, size) for each size."""
    return [jnp.zeros((batch_size, size), dtype) for size in sizes]
