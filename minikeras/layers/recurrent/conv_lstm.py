"""ConvLSTM: an LSTM whose states are images and whose products are convolutions."""

import functools

import jax
import jax.numpy as jnp

from minikeras import ops
from minikeras.core.checks import int_tuple, padding_name
from minikeras.layers.convolutional.sliding_window import add_bias
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.lstm import lstm_update
from minikeras.layers.recurrent.own_cell import OwnCellRNN
from minikeras.random.seed_generator import SeedGenerator
from minikeras.settings import standardize_data_format


def gated_conv(x, kernel, masks, channel_axis, **settings):
    """Convolution with dropout masks on the inputs, one for each gate.

    Args:
        x: (batch, *space, channels), or channels first.
        kernel: (*window, channels, gates · filters).
        masks: None, or a list of arrays shaped like `x`.
        channel_axis: of `x`.
        **settings: of `ops.conv`.
    """
    if masks is None:
        return ops.conv(x, kernel, **settings)
    blocks = jnp.split(kernel, len(masks), axis=-1)
    parts = [ops.conv(x * m, k, **settings) for m, k in zip(masks, blocks, strict=True)]
    return jnp.concatenate(parts, axis=channel_axis)


class ConvLSTMCell(RecurrentCell):
    """One step of a ConvLSTM: `LSTMCell` with convolutions for products.

    Args:
        rank: number of axes of space.
        filters: int, channels of each state and of the output.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution
            of the inputs; that of the state has the same window, strides of 1 and
            "same" padding.
        activation, …, seed: as `LSTMCell`.
    """

    _mk_gates = _mk_mask_count = 4  # each gate has its own masks in any case
    rank: int
    filters: int

    def __init__(
        self,
        rank,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
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
        super().__init__(**kwargs)
        self.seed_generator = SeedGenerator(seed)  # Keras draws its seed first here
        self._mk_keep(locals())
        self.kernel_size = int_tuple(kernel_size, rank, "kernel_size")
        self.strides = int_tuple(strides, rank, "strides")
        self.dilation_rate = int_tuple(dilation_rate, rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )
        self.padding = padding_name(padding)
        self.data_format = standardize_data_format(data_format)
        self.state_size = -1  # as in Keras: known when the inputs are
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def _mk_channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape):
        """Create the kernels and the bias."""
        channels = input_shape[self._mk_channel_axis]
        if channels is None:
            raise ValueError(
                "ConvLSTM: the channels of the inputs must be known, got None in "
                f"{tuple(input_shape)} ({self.data_format})."
            )
        width = self._mk_gates * self.filters
        self.kernel = self._mk_weight("kernel", (*self.kernel_size, channels, width))
        shape = (*self.kernel_size, self.filters, width)
        self.recurrent_kernel = self._mk_recurrent_weight(shape)
        self.bias = self._mk_forget_bias(self.filters) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, shape=(None, *input_shape[1:]))

    def _mk_conv(self, x, kernel, masks, **settings):
        return gated_conv(
            *(x, kernel, masks, self._mk_channel_axis),
            data_format=self.data_format,
            **settings,
        )

    def _mk_input_settings(self):
        return {
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
        }

    def _mk_project(self, inputs, masks):
        """Convolution of the inputs, plus the bias; all steps as one batch."""
        steps = inputs.shape[: inputs.ndim - self.rank - 1]
        if masks is not None:
            masks = [jnp.broadcast_to(m, inputs.shape) for m in masks]
            masks = [m.reshape(-1, *m.shape[len(steps) :]) for m in masks]
        z = self._mk_conv(
            inputs.reshape(-1, *inputs.shape[len(steps) :]),
            self.kernel.value,
            masks,
            **self._mk_input_settings(),
        )
        if self.bias is not None:
            z = add_bias(z, self.bias.value, self._mk_channel_axis == 1)
        return z.reshape(*steps, *z.shape[1:])

    def _mk_projects_ahead(self):
        """Yes: one large convolution is faster than many."""
        return True

    def _mk_advance(self, projected, states, masks):
        """lstm_update(projected + convolution of h, c)"""
        h, c = states
        kernel = self.recurrent_kernel.value
        z = projected + self._mk_conv(h, kernel, masks, padding="same")
        functions = self.activation, self.recurrent_activation
        return lstm_update(z, c, *functions, axis=self._mk_channel_axis)

    def state_shape(self, input_shape):
        """Shape of each state for inputs (batch, …) of one step."""
        space = input_shape[1:-1] if self._mk_channel_axis == -1 else input_shape[2:]
        if None in space:
            raise ValueError(
                "ConvLSTM layers only support static input shapes for the spatial "
                f"dimension. Received invalid input shape: input_shape={input_shape}"
            )
        channels = input_shape[self._mk_channel_axis]
        kernel = (*self.kernel_size, channels, self.filters)
        like = [
            jax.ShapeDtypeStruct(shape, "float32")
            for shape in ((input_shape[0] or 1, *input_shape[1:]), kernel)
        ]
        conv = functools.partial(
            ops.conv, data_format=self.data_format, **self._mk_input_settings()
        )
        return (input_shape[0], *jax.eval_shape(conv, *like).shape[1:])

    def get_initial_state(self, batch_size=None):
        """Two images of zeros."""
        shape = self.state_shape((batch_size, *self.input_spec.shape[1:]))
        return [jnp.zeros(shape, self.compute_dtype) for _ in range(2)]


class ConvLSTM(OwnCellRNN, cell=ConvLSTMCell):
    """A recurrent layer over sequences of images: an LSTM of convolutions.

    c' = σ(forget) · c + σ(input) · activation(candidate)
    h' = σ(output) · activation(c'), where the gates are kernel * x +
    recurrent_kernel * h + bias

    Args:
        filters: int, channels of the states and of the output.
        kernel_size: int >= 1, or one for each axis of space: the window.
        strides, padding, data_format, dilation_rate: of the convolution of the
            inputs, as in `Conv2D`; that of the state keeps its size.
        activation, recurrent_activation: of candidate and memory, and of the gates
            (σ).
        use_bias: add a bias?
        kernel_initializer, recurrent_initializer, bias_initializer: of the
            (*kernel_size, channels, 4 · filters) kernel, the (*kernel_size, filters,
            4 · filters) recurrent kernel and the (4 · filters,) bias.
        unit_forget_bias: start the bias of the forget gate at 1?
        kernel_regularizer, recurrent_regularizer, bias_regularizer,
            activity_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after
            each update.
        dropout, recurrent_dropout: shares of inputs and of states that are dropped
            while training, in [0, 1].
        seed: int; None takes one from Python's `random`.
        return_sequences, return_state, go_backwards, stateful: as `RNN`.

    Input (batch, steps, *space, channels), output (batch, *space, filters), or with
    the steps in place 1; with the channels before the space if they are first.

    Raises:
        ValueError: a bad argument, or inputs whose space is not known.

    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
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
        **kwargs,
    ):
        self._mk_start(locals(), rank=self.rank)
        self.input_spec = InputSpec(ndim=self.rank + 3)
        self._mk_state_count = 2  # Keras's `state_size` is [-1]

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """(batch, *space, filters) or with the steps, and those of the states."""
        batch, steps, *rest = sequences_shape
        state = self.cell.state_shape((batch, *rest))
        return self._mk_all_shapes(state, [state, state], steps)


class ConvLSTM1D(ConvLSTM):
    """A ConvLSTM over sequences (batch, steps, length, channels).

    Args: as `ConvLSTM`.
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """A ConvLSTM over sequences (batch, steps, rows, columns, channels).

    Args: as `ConvLSTM`.
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """A ConvLSTM over sequences (batch, steps, depth, rows, columns, channels).

    Args: as `ConvLSTM`.
    """

    rank = 3
