"""LSTM: a recurrent layer whose memory cell is controlled by gates."""

from functools import partial

import jax
import jax.numpy as jnp

from minikeras import activations
from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import GatedCell
from minikeras.layers.recurrent.cudnn import (
    can_use_cudnn,
    cudnn_lstm,
    pack_lstm_weights,
    right_padded_lengths,
)
from minikeras.layers.recurrent.fixed_cell_rnn import FixedCellRNN, check_use_cudnn
from minikeras.random.seed_generator import SeedGenerator


def lstm_update(z, c, activation, recurrent_activation, axis=-1):
    """The new states of an LSTM, from the sums that its gates receive.

    input, forget, candidate, output = z, in quarters along `axis`
    c' = σ(forget) · c + σ(input) · activation(candidate)
    h' = σ(output) · activation(c')

    Args:
        z: array of four times the size of `c` along `axis`.
        c: the memory cell.
        activation, recurrent_activation: functions; the latter is σ above.
        axis: int, axis of the units.

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

    Call it on inputs (batch, n_in) and the list of states [h, c], (batch, units) each;
    it returns h' and [h', c'].

    Args:
        units: int >= 1, size of each state and of the output.
        activation: name or function for candidate and memory; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, 4 · units) kernel.
        recurrent_initializer: initializer of the (units, 4 · units) recurrent kernel.
        bias_initializer: initializer of the (4 · units,) bias.
        unit_forget_bias: bool, whether to start the bias of the forget gate at 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the
            weights, added to the loss; None for no penalty.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        dropout: share of the inputs that is dropped in training, in [0, 1].
        recurrent_dropout: share of the states that is dropped in training, in [0, 1].
        seed: int, seed of the dropout masks; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: `units` is not a positive integer.

    Source: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735.

    >>> cell = keras.layers.LSTMCell(4)
    >>> h, states = cell(np.ones((2, 3)), [np.zeros((2, 4)), np.zeros((2, 4))])
    >>> h.shape, len(states)
    ((2, 4), 2)
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
        self._mk_set_arguments(locals())
        self.seed_generator = SeedGenerator(seed)
        self.state_size, self.output_size = [units, units], units

    def build(self, input_shape):
        """Create the kernels and the bias.

        Args:
            input_shape: (batch, n_in).
        """
        self._mk_build_kernels(input_shape[-1])
        self.bias = self._mk_forget_bias(self.units) if self.use_bias else None

    def _mk_apply_gates(self, z, states):
        """lstm_update(z, c)"""
        return lstm_update(z, states[1], self.activation, self.recurrent_activation)


class LSTM(FixedCellRNN, cell=LSTMCell):
    """Long short-term memory: a recurrent layer with a gated memory cell.

    c_t = σ(forget) · c_(t-1) + σ(input) · activation(candidate)
    h_t = σ(output) · activation(c_t), where input, forget, candidate, output =
    x_t · kernel + h_(t-1) · recurrent_kernel + bias

    Args:
        units: int >= 1, size of each state and of the output.
        activation: name or function for candidate and memory; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, 4 · units) kernel.
        recurrent_initializer: initializer of the (units, 4 · units) recurrent kernel.
        bias_initializer: initializer of the (4 · units,) bias.
        unit_forget_bias: bool, whether to start the bias of the forget gate at 1.
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
        use_cudnn: `"auto"` uses cuDNN's kernel on NVIDIA GPUs where it computes the
            same; True requires it; False never uses it.
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, n_in).
    Output shape: (batch, units), or (batch, steps, units) with `return_sequences`;
    with `return_state` a tuple of it and the final states, (batch, units) each.

    Raises:
        ValueError: `units` is not a positive integer, or `use_cudnn` is unknown; in a
            call: `use_cudnn=True`, but cuDNN cannot run the layer.

    Source: Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735.

    >>> keras.layers.LSTM(4)(np.ones((2, 5, 3))).shape
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
        self._mk_init_with_cell(locals())
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = check_use_cudnn(use_cudnn)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Compute all steps: with cuDNN on NVIDIA GPUs, otherwise in a loop.

        Args:
            sequences: (batch, steps, n_in).
            initial_state: [h, c], (batch, units) each.
            mask: (batch, steps) bools, or None.
            training: bool, whether to apply dropout.

        Returns:
            (last output, outputs (batch, steps, units), [h, c]).
        """
        scanned = partial(super().inner_loop, mask=mask, training=training)
        lengths = None if mask is None else right_padded_lengths(mask)
        arrays = sequences, *initial_state, self.cell.kernel.value
        if not (can_use_cudnn(*arrays) and self._mk_fits_cudnn(mask, lengths)):
            if self.use_cudnn is True:
                raise ValueError(
                    f"{self.name}: use_cudnn=True, but cuDNN cannot run this layer "
                    "here. It takes float32 on an NVIDIA GPU, tanh and sigmoid, no "
                    "recurrent dropout, no unrolling, and masks that pad on the right. "
                    "use_cudnn='auto' uses it where it can."
                )
            return scanned(sequences, initial_state)
        cudnn = partial(self._mk_run_cudnn, lengths=lengths, training=training)
        # The platform is known when the program is lowered: AMD's GPUs take the scan.
        return jax.lax.platform_dependent(
            sequences, initial_state, cuda=cudnn, default=scanned
        )

    def _mk_fits_cudnn(self, mask, lengths):
        """Does cuDNN compute what these settings and this mask ask for?"""
        cell = self.cell
        return (
            self.use_cudnn is not False
            and cell.activation is activations.tanh
            and cell.recurrent_activation is activations.sigmoid
            and cell.recurrent_dropout == 0
            and cell.implementation != 1
            and self._mk_can_split_step()
            and not self.unroll
            and (mask is None or (lengths is not None and not self.go_backwards))
        )

    def _mk_run_cudnn(self, sequences, initial_state, lengths, training):
        """(last output, outputs, [h, c]) by cuDNN, of inputs with dropout applied."""
        cell = self.cell
        mask = cell.get_dropout_mask(sequences[:, 0]) if training else None
        x = sequences if mask is None else sequences * mask[:, None]
        x = jnp.flip(x, 1) if self.go_backwards else x
        bias = None if cell.bias is None else cell.bias.value
        weights = pack_lstm_weights(
            cell.kernel.value, cell.recurrent_kernel.value, bias
        )
        h, c = initial_state
        outputs, h, c = cudnn_lstm(x, h, c, weights, lengths)
        if lengths is not None:
            # cuDNN gives zeros after the end of a sequence; Keras repeats the state.
            in_sequence = jnp.arange(x.shape[1]) < lengths[:, None]
            fill = jnp.zeros_like(h) if self.zero_output_for_mask else h
            outputs = jnp.where(in_sequence[..., None], outputs, fill[:, None])
        return outputs[:, -1], outputs, [h, c]
