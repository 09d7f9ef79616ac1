"""LSTM: a memory behind gates."""

from functools import partial

import jax
import jax.numpy as jnp

from minikeras import activations
from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import GatedCell
from minikeras.layers.recurrent.cudnn import (
    fused_lstm,
    lengths_of,
    may_fuse,
    pack_lstm,
)
from minikeras.layers.recurrent.own_cell import OwnCellRNN, check_use_cudnn
from minikeras.random.seed_generator import SeedGenerator


def lstm_update(z, c, activation, recurrent_activation, axis=-1):
    """The gates at work.

    input, forget, candidate, output = z, in quarters along `axis`
    c' = σ(forget) · c + σ(input) · activation(candidate)
    h' = σ(output) · activation(c')

    Args:
        z: the sums that the gates see, four times as long as `c` along `axis`.
        c: the memory.
        activation, recurrent_activation: functions; the latter is σ above.

    Returns:
        [h', c'].

    Source: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735.
    """
    i, f, candidate, o = jnp.split(z, 4, axis=axis)
    i, f, o = recurrent_activation(i), recurrent_activation(f), recurrent_activation(o)
    c = f * c + i * activation(candidate)
    return [o * activation(c), c]


class LSTMCell(GatedCell):
    """One step of an LSTM.

    input, forget, candidate, output = x · kernel + h · recurrent_kernel + bias
    c' = σ(forget) · c + σ(input) · activation(candidate)
    h' = σ(output) · activation(c')

    Args:
        units: int >= 1, size of each state and of the output.
        activation, recurrent_activation: of candidate and memory, and of the gates
            (σ); names or functions; None is the identity.
        use_bias: add a bias?
        kernel_initializer, recurrent_initializer, bias_initializer: of the (n_in,
            4 · units) kernel, the (units, 4 · units) recurrent kernel and the
            (4 · units,) bias.
        unit_forget_bias: start the bias of the forget gate at 1?
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after
            each update.
        dropout, recurrent_dropout: shares of inputs and of states that are dropped
            while training, in [0, 1].
        seed: int; None takes one from Python's `random`.

    Call (x (batch, n_in), [h, c]) -> (h', [h', c']).

    Raises:
        ValueError: `units` is no positive integer.

    Source: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735.
    """

    _mk_gates = 4

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        positive_int(units, "units")
        self._mk_take_implementation(kwargs)
        super().__init__(**kwargs)
        self._mk_keep(locals())
        self.seed_generator = SeedGenerator(seed)
        self.state_size, self.output_size = [units, units], units

    def build(self, input_shape):
        """Create the kernels and the bias."""
        self._mk_build_kernels(input_shape[-1])
        self.bias = self._mk_forget_bias(self.units) if self.use_bias else None

    def _mk_apply_gates(self, z, states):
        """lstm_update(z, c)"""
        return lstm_update(z, states[1], self.activation, self.recurrent_activation)


class LSTM(OwnCellRNN, cell=LSTMCell):
    """A recurrent layer with a memory: `LSTMCell` over all steps.

    On NVIDIA GPUs it runs as one cuDNN kernel where that computes the same.

    Args:
        units, …, recurrent_dropout, seed: as `LSTMCell`.
        activity_regularizer: penalty on the output.
        return_sequences, return_state, go_backwards, stateful, unroll: as `RNN`.
        use_cudnn: "auto" takes cuDNN where it can, True insists, False never does.

    Input (batch, steps, n_in), output (batch, units), or (batch, steps, units).

    Raises:
        ValueError: `units` is no positive integer, or an unknown `use_cudnn`; in a
            call: cuDNN is insisted on, but cannot be used.

    >>> import numpy as np
    >>> LSTM(4)(np.ones((2, 5, 3))).shape
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
        unit_forget_bias=True,
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
        use_cudnn="auto",
        **kwargs,
    ):
        self._mk_start(locals())
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = check_use_cudnn(use_cudnn)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """The steps, on NVIDIA GPUs by cuDNN where it computes the same."""
        scanned = partial(super().inner_loop, mask=mask, training=training)
        lengths = None if mask is None else lengths_of(mask)
        arrays = sequences, *initial_state, self.cell.kernel.value
        if not (may_fuse(*arrays) and self._mk_fits_cudnn(mask, lengths)):
            if self.use_cudnn is True:
                raise ValueError(
                    f"{self.name}: use_cudnn=True, but cuDNN cannot run this layer "
                    "here. It takes float32 on an NVIDIA GPU, tanh and sigmoid, no "
                    "recurrent dropout, no unrolling, and masks that pad on the right. "
                    "use_cudnn='auto' uses it where it can."
                )
            return scanned(sequences, initial_state)
        fused = partial(self._mk_fused, lengths=lengths, training=training)
        return jax.lax.platform_dependent(
            sequences, initial_state, cuda=fused, default=scanned
        )

    def _mk_fits_cudnn(self, mask, lengths):
        cell = self.cell
        return (
            self.use_cudnn is not False
            and cell.activation is activations.tanh
            and cell.recurrent_activation is activations.sigmoid
            and cell.recurrent_dropout == 0
            and cell.implementation != 1
            and self._mk_may_project()
            and not self.unroll
            and (mask is None or (lengths is not None and not self.go_backwards))
        )

    def _mk_fused(self, sequences, initial_state, lengths, training):
        cell = self.cell
        drop = cell.get_dropout_mask(sequences[:, 0]) if training else None
        x = sequences if drop is None else sequences * drop[:, None]
        x = jnp.flip(x, 1) if self.go_backwards else x
        bias = None if cell.bias is None else cell.bias.value
        weights = pack_lstm(cell.kernel.value, cell.recurrent_kernel.value, bias)
        h, c = initial_state
        outputs, h, c = fused_lstm(x, h, c, weights, lengths)
        if lengths is not None:
            keep = jnp.arange(x.shape[1]) < lengths[:, None]
            held = jnp.zeros_like(h) if self.zero_output_for_mask else h
            outputs = jnp.where(keep[..., None], outputs, held[:, None])
        return outputs[:, -1], outputs, [h, c]
