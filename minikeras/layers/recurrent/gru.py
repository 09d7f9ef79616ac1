"""GRU: a recurrent layer that interpolates between its old and its new state."""

import jax.numpy as jnp

from minikeras.core.bridge import current
from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import GatedCell, gated_product
from minikeras.layers.recurrent.fixed_cell_rnn import FixedCellRNN, check_use_cudnn
from minikeras.random.seed_generator import SeedGenerator


def interpolate(gate, h, candidate):
    """gate · h + (1 - gate) · candidate"""
    return gate * h + (1 - gate) * candidate


def gru_step(z, h, kernel, bias, masks, activation, recurrent_activation):
    """One step of a GRU that applies the reset gate after the product.

    update, reset = recurrent_activation(z + h · kernel + bias), thirds 1 and 2
    h' = interpolate(update, h, activation(z + reset · (h · kernel + bias))), third 3

    Args:
        z: (batch, 3 · units), inputs · their kernel + their bias.
        h: (batch, units), the state.
        kernel: (units, 3 · units).
        bias: (3 · units,) or None.
        masks: None, or three dropout masks of `h`.
        activation, recurrent_activation: functions.

    Source: the form of cuDNN; Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """
    product = gated_product(h, kernel, masks)
    if bias is not None:
        product = product + bias
    z_update, z_reset, z_new = jnp.split(z, 3, axis=-1)
    h_update, h_reset, h_new = jnp.split(product, 3, axis=-1)
    update = recurrent_activation(z_update + h_update)
    reset = recurrent_activation(z_reset + h_reset)
    return interpolate(update, h, activation(z_new + reset * h_new))


def gru_step_reset_before(z, h, kernel, masks, activation, recurrent_activation):
    """One step of a GRU that applies the reset gate to the state before the product.

    This is the form of the paper.

    Args:
        z: (batch, 3 · units), inputs · their kernel + bias.
        h: (batch, units), the state.
        kernel: (units, 3 · units).
        masks: None, or three dropout masks of `h`.
        activation, recurrent_activation: functions.
    """
    n = 2 * h.shape[-1]
    gate_masks, new_mask = (masks[:2], masks[2]) if masks else (None, None)
    product = gated_product(h, kernel[:, :n], gate_masks)
    gates = recurrent_activation(z[..., :n] + product)
    update, reset = jnp.split(gates, 2, axis=-1)
    product = gated_product(reset * h, kernel[:, n:], new_mask)
    return interpolate(update, h, activation(z[..., n:] + product))


class GRUCell(GatedCell):
    """One step of a GRU.

    update, reset = σ(x · kernel + h · recurrent_kernel + bias)
    candidate = activation(x · kernel + reset · (h · recurrent_kernel) + bias)
    h' = update · h + (1 - update) · candidate

    Call it on inputs (batch, n_in) and a list of states (batch, units); it returns the
    output (batch, units) and the list of new states.

    Args:
        units: int >= 1, size of the state and of the output.
        activation: name or function of the candidate; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, 3 · units) kernel.
        recurrent_initializer: initializer of the (units, 3 · units) recurrent kernel.
        bias_initializer: initializer of the (2, 3 · units) bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the
            weights, added to the loss; None for no penalty.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        dropout: share of the inputs that is dropped in training, in [0, 1].
        recurrent_dropout: share of the states that is dropped in training, in [0, 1].
        reset_after: bool, whether to multiply the reset gate with h · recurrent_kernel,
            as above. False multiplies it with h, as in the paper; the bias is then (3 ·
            units,).
        seed: int, seed of the dropout masks; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: `units` is not a positive integer.

    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078.

    >>> cell = keras.layers.GRUCell(4)
    >>> h, states = cell(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> h.shape, len(states)
    ((2, 4), 1)
    """

    reset_after: bool
    _mk_gates = 3

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
        seed=None,
        **kwargs,
    ):
        positive_int(units, "units")
        self._mk_take_implementation(kwargs)
        super().__init__(**kwargs)
        self._mk_set_arguments(locals())
        self.seed_generator = SeedGenerator(seed)
        self.state_size = self.output_size = units

    def build(self, input_shape):
        """Create the kernels and the bias.

        Args:
            input_shape: (batch, n_in).
        """
        self._mk_build_kernels(input_shape[-1])
        shape = (self._mk_gates * self.units,)
        shape = (2, *shape) if self.reset_after else shape
        self.bias = self._mk_weight("bias", shape) if self.use_bias else None

    def _mk_project_inputs(self, inputs, masks):
        """inputs · kernel + bias"""
        z = gated_product(inputs, self.kernel.value, masks)
        if self.bias is None:
            return z
        return z + (self.bias.value[0] if self.reset_after else self.bias.value)

    def _mk_update_states(self, projected, states, masks):
        """gru_step(projected, h)"""
        functions = self.activation, self.recurrent_activation
        h, kernel = states[0], self.recurrent_kernel.value
        if not self.reset_after:
            return [gru_step_reset_before(projected, h, kernel, masks, *functions)]
        bias = None if self.bias is None else self.bias.value[1]
        return [gru_step(projected, h, kernel, bias, masks, *functions)]


class GRU(FixedCellRNN, cell=GRUCell):
    """Gated recurrent unit: gates interpolate between the old state and a candidate.

    update, reset = σ(x_t · kernel + h_(t-1) · recurrent_kernel + bias)
    candidate = activation(x_t · kernel + reset · (h_(t-1) · recurrent_kernel) + bias)
    h_t = update · h_(t-1) + (1 - update) · candidate

    Args:
        units: int >= 1, size of the state and of the output.
        activation: name or function of the candidate; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, 3 · units) kernel.
        recurrent_initializer: initializer of the (units, 3 · units) recurrent kernel.
        bias_initializer: initializer of the (2, 3 · units) bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the
            weights, added to the loss; None for no penalty.
        activity_regularizer: penalty on the output, added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        dropout: share of the inputs that is dropped in training, in [0, 1].
        recurrent_dropout: share of the states that is dropped in training, in [0, 1].
        seed: int, seed of the dropout masks; None draws one from Python's `random`.
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
        reset_after: bool, whether to multiply the reset gate with h · recurrent_kernel,
            as above. False multiplies it with h, as in the paper; the bias is then (3 ·
            units,).
        use_cudnn: `"auto"`, True or False. It changes nothing: JAX has no GRU kernel of
            cuDNN.
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, n_in).
    Output shape: (batch, units), or (batch, steps, units) with `return_sequences`;
    with `return_state` a tuple of it and the final states, (batch, units) each.

    Raises:
        ValueError: `units` is not a positive integer, or `use_cudnn` is unknown.

    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078.

    >>> keras.layers.GRU(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        use_cudnn="auto",
        **kwargs,
    ):
        self._mk_init_with_cell(locals())
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = check_use_cudnn(use_cudnn)

    def _mk_keeps_outer_dtypes(self, sequences):
        """Does the loop compute in the dtypes around the layer, not the cell's?

        Keras computes a GRU that cuDNN could run without its cell, in the dtypes around
        it. Where these do not fit the states, Keras fails; the layer then uses the
        cell's.
        """
        fusible = self.cell.reset_after and not self.cell.recurrent_dropout
        outer = jnp.promote_types(
            sequences.dtype, current().autocast or self.variable_dtype
        )
        fits = jnp.promote_types(outer, self.compute_dtype) == self.compute_dtype
        return bool(self.use_cudnn and fusible and not self.unroll and fits)
