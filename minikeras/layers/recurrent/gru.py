"""GRU: a state that gates blend with a new one."""

import jax.numpy as jnp

from minikeras.core.bridge import current
from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import GatedCell, gated_product
from minikeras.layers.recurrent.own_cell import OwnCellRNN, check_use_cudnn
from minikeras.random.seed_generator import SeedGenerator


def blend(gate, h, candidate):
    """gate · h + (1 - gate) · candidate"""
    return gate * h + (1 - gate) * candidate


def gru_step(z, h, kernel, bias, masks, activation, recurrent_activation):
    """One step of a GRU that resets after the product.

    update, reset = recurrent_activation(z + h · kernel + bias), thirds 1 and 2
    h' = blend(update, h, activation(z + reset · (h · kernel + bias))), third 3

    Args:
        z: (batch, 3 · units), the inputs times their kernel, plus their bias.
        h: (batch, units), the state.
        kernel: (units, 3 · units).
        bias: (3 · units,) or None.
        masks: None, or three dropout masks of `h`.
        activation, recurrent_activation: functions.

    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078, as cuDNN has it.
    """
    product = gated_product(h, kernel, masks)
    if bias is not None:
        product = product + bias
    z_update, z_reset, z_new = jnp.split(z, 3, axis=-1)
    h_update, h_reset, h_new = jnp.split(product, 3, axis=-1)
    update = recurrent_activation(z_update + h_update)
    reset = recurrent_activation(z_reset + h_reset)
    return blend(update, h, activation(z_new + reset * h_new))


def gru_step_reset_before(z, h, kernel, masks, activation, recurrent_activation):
    """One step of a GRU that resets the state before the product: the paper's.

    Args: as `gru_step`; the bias is part of `z`.
    """
    n = 2 * h.shape[-1]
    early, late = (masks[:2], masks[2]) if masks else (None, None)
    product = gated_product(h, kernel[:, :n], early)
    gates = recurrent_activation(z[..., :n] + product)
    update, reset = jnp.split(gates, 2, axis=-1)
    product = gated_product(reset * h, kernel[:, n:], late)
    return blend(update, h, activation(z[..., n:] + product))


class GRUCell(GatedCell):
    """One step of a GRU.

    update, reset = recurrent_activation(x · kernel + h · recurrent_kernel + bias)
    h' = update · h + (1 - update) · activation(…, with reset · h in place of h)

    Args:
        units: int >= 1, size of the state and of the output.
        activation, recurrent_activation: of the new state and of the gates; names or
            functions; None is the identity.
        use_bias: add a bias?
        kernel_initializer, recurrent_initializer, bias_initializer: of the (n_in,
            3 · units) kernel, the (units, 3 · units) recurrent kernel (update, reset,
            candidate) and the bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after
            each update.
        dropout, recurrent_dropout: shares of inputs and of states that are dropped
            while training, in [0, 1].
        reset_after: reset h · recurrent_kernel instead of h? Then the bias is (2,
            3 · units), one for inputs and one for states; else (3 · units,).
        seed: int; None takes one from Python's `random`.

    Call (x (batch, n_in), [h]) -> (h', [h']).

    Raises:
        ValueError: `units` is no positive integer.

    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078.
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
        self._mk_keep(locals())
        self.seed_generator = SeedGenerator(seed)
        self.state_size = self.output_size = units

    def build(self, input_shape):
        """Create the kernels and the bias."""
        self._mk_build_kernels(input_shape[-1])
        shape = (self._mk_gates * self.units,)
        shape = (2, *shape) if self.reset_after else shape
        self.bias = self._mk_weight("bias", shape) if self.use_bias else None

    def _mk_project(self, inputs, masks):
        """inputs · kernel + bias"""
        z = gated_product(inputs, self.kernel.value, masks)
        if self.bias is None:
            return z
        return z + (self.bias.value[0] if self.reset_after else self.bias.value)

    def _mk_advance(self, projected, states, masks):
        """gru_step(projected, h)"""
        functions = self.activation, self.recurrent_activation
        given = projected, states[0], self.recurrent_kernel.value
        if not self.reset_after:
            return [gru_step_reset_before(*given, masks, *functions)]
        bias = None if self.bias is None else self.bias.value[1]
        return [gru_step(*given, bias, masks, *functions)]


class GRU(OwnCellRNN, cell=GRUCell):
    """A recurrent layer of gated units: `GRUCell` over all steps.

    Args:
        units, …, recurrent_dropout, seed, reset_after: as `GRUCell`.
        activity_regularizer: penalty on the output.
        return_sequences, return_state, go_backwards, stateful, unroll: as `RNN`.
        use_cudnn: "auto", True or False; JAX has no cuDNN kernel of GRUs, all are the
            same here.

    Input (batch, steps, n_in), output (batch, units), or (batch, steps, units).

    Raises:
        ValueError: `units` is no positive integer, or an unknown `use_cudnn`.

    >>> import numpy as np
    >>> GRU(4)(np.ones((2, 5, 3))).shape
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
        self._mk_start(locals())
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = check_use_cudnn(use_cudnn)

    def _mk_is_one_function(self, sequences):
        """Keras computes such a GRU without its cell, in the dtypes around it (where
        these do not fit the states, it fails)."""
        fusible = self.cell.reset_after and not self.cell.recurrent_dropout
        around = jnp.promote_types(
            sequences.dtype, current().autocast or self.variable_dtype
        )
        fits = jnp.promote_types(around, self.compute_dtype) == self.compute_dtype
        return bool(self.use_cudnn and fusible and not self.unroll and fits)
