"""ConvLSTM: an LSTM whose states are images and whose products are convolutions."""

import functools

import jax
import jax.numpy as jnp

from minikeras import ops
from minikeras.core.checks import int_tuple, padding_name
from minikeras.layers.convolutional.sliding_window import add_bias
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.fixed_cell_rnn import FixedCellRNN
from minikeras.layers.recurrent.lstm import lstm_update
from minikeras.layers.reshaping.spatial import channel_axis
from minikeras.random.seed_generator import SeedGenerator
from minikeras.settings import standardize_data_format


def gated_conv(x, kernel, masks, channel_axis, **settings):
    """Convolution with dropout masks on the inputs, one for each gate.

    Args:
        x: (batch, *space, channels), or channels first.
        kernel: (*window, channels, gates · filters).
        masks: None, or a list of arrays shaped like `x`.
        channel_axis: int, axis of the channels in `x`.
        **settings: keyword arguments of `ops.conv`.
    """
    if masks is None:
        return ops.conv(x, kernel, **settings)
    blocks = jnp.split(kernel, len(masks), axis=-1)
    parts = [ops.conv(x * m, k, **settings) for m, k in zip(masks, blocks, strict=True)]
    return jnp.concatenate(parts, axis=channel_axis)


class ConvLSTMCell(RecurrentCell):
    """One step of a ConvLSTM: an `LSTMCell` with convolutions in place of products.

    Args:
        rank: int, number of spatial axes.
        filters: int, channels of each state and of the output.
        kernel_size: size of the window of both convolutions.
        strides, padding, data_format, dilation_rate: settings of the convolution of the
            inputs; the convolution of the state has strides of 1 and "same" padding.
        activation, recurrent_activation, use_bias, unit_forget_bias: as `LSTMCell`.
        kernel_initializer, recurrent_initializer, bias_initializer: as `LSTMCell`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: as `LSTMCell`.
        kernel_constraint, recurrent_constraint, bias_constraint: as `LSTMCell`.
        dropout, recurrent_dropout, seed: as `LSTMCell`.
    """

    _mk_gates = _mk_mask_count = 4  # each gate always has its own masks, as in Keras
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
        self._mk_set_arguments(locals())
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
        return channel_axis(self.data_format)

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
        axis, data_format = self._mk_channel_axis, self.data_format
        return gated_conv(x, kernel, masks, axis, data_format=data_format, **settings)

    def _mk_input_options(self):
        return {
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
        }

    def _mk_project_inputs(self, inputs, masks):
        """Convolution of the inputs, plus the bias; all steps form one batch."""
        steps = inputs.shape[: inputs.ndim - self.rank - 1]
        if masks is not None:
            masks = [jnp.broadcast_to(m, inputs.shape) for m in masks]
            masks = [m.reshape(-1, *m.shape[len(steps) :]) for m in masks]
        z = self._mk_conv(
            inputs.reshape(-1, *inputs.shape[len(steps) :]),
            self.kernel.value,
            masks,
            **self._mk_input_options(),
        )
        if self.bias is not None:
            z = add_bias(z, self.bias.value, self._mk_channel_axis == 1)
        return z.reshape(*steps, *z.shape[1:])

    def _mk_projects_all_steps_first(self):
        """Yes: one large convolution is faster than one a step."""
        return True

    def _mk_update_states(self, projected, states, masks):
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
        specs = [
            jax.ShapeDtypeStruct(shape, "float32")
            for shape in ((input_shape[0] or 1, *input_shape[1:]), kernel)
        ]
        conv = functools.partial(
            ops.conv, data_format=self.data_format, **self._mk_input_options()
        )
        return (input_shape[0], *jax.eval_shape(conv, *specs).shape[1:])

    def get_initial_state(self, batch_size=None):
        """Two images of zeros."""
        (spec,) = jax.tree_util.tree_leaves(self.input_spec)
        shape = self.state_shape((batch_size, *spec.shape[1:]))
        return [jnp.zeros(shape, self.compute_dtype) for _ in range(2)]


class ConvLSTM(FixedCellRNN, cell=ConvLSTMCell):
    """Base of the ConvLSTM layers: a recurrent layer over sequences of images."""

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
        self._mk_init_with_cell(locals(), rank=self.rank)
        self.input_spec = InputSpec(ndim=self.rank + 3)
        self._mk_state_count = 2  # Keras's `state_size` is [-1]

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Return (batch, *space, filters), maybe with steps, and the state shapes.

        Args:
            sequences_shape: (batch, steps, *space, channels), or channels first.
            initial_state_shape: not used.
        """
        batch, steps, *rest = sequences_shape
        state = self.cell.state_shape((batch, *rest))
        return self._mk_all_shapes(state, [state, state], steps)


class ConvLSTM1D(ConvLSTM):
    """Recurrent layer over sequences of 1D signals: an LSTM of convolutions.

    gates = kernel * x_t + recurrent_kernel * h_(t-1) + bias, with convolutions *
    c_t = σ(forget) · c_(t-1) + σ(input) · activation(candidate)
    h_t = σ(output) · activation(c_t)

    Args:
        filters: int >= 1, channels of the states and of the output.
        kernel_size: int >= 1 or a tuple of one, size of the window.
        strides: int >= 1 or a tuple of one, step of the convolution of the inputs.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros.
            The convolution of the state always keeps its size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a tuple of one, distance between the entries of a
            window; above 1 it excludes strides above 1.
        activation: name or function for candidate and memory; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (*kernel_size, channels, 4 · filters)
            kernel.
        recurrent_initializer: initializer of the (*kernel_size, filters, 4 · filters)
            recurrent kernel.
        bias_initializer: initializer of the (4 · filters,) bias.
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
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, length, channels), or with the channels after the
    steps for `"channels_first"`.
    Output shape: (batch, new_length, filters), with the steps as axis 1 for
    `return_sequences`.

    Raises:
        ValueError: an invalid argument, or inputs whose spatial sizes are not known.

    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214.

    >>> keras.layers.ConvLSTM1D(4, 3)(np.ones((1, 5, 8, 2))).shape
    (1, 6, 4)
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Recurrent layer over sequences of images: an LSTM of convolutions.

    gates = kernel * x_t + recurrent_kernel * h_(t-1) + bias, with convolutions *
    c_t = σ(forget) · c_(t-1) + σ(input) · activation(candidate)
    h_t = σ(output) · activation(c_t)

    Args:
        filters: int >= 1, channels of the states and of the output.
        kernel_size: int >= 1 or a pair, size of the window.
        strides: int >= 1 or a pair, step of the convolution of the inputs.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros.
            The convolution of the state always keeps its size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a pair, distance between the entries of a window;
            above 1 it excludes strides above 1.
        activation: name or function for candidate and memory; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (*kernel_size, channels, 4 · filters)
            kernel.
        recurrent_initializer: initializer of the (*kernel_size, filters, 4 · filters)
            recurrent kernel.
        bias_initializer: initializer of the (4 · filters,) bias.
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
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, rows, columns, channels), or with the channels after the
    steps for `"channels_first"`.
    Output shape: (batch, new_rows, new_columns, filters), with the steps as axis 1 for
    `return_sequences`.

    Raises:
        ValueError: an invalid argument, or inputs whose spatial sizes are not known.

    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214.

    >>> keras.layers.ConvLSTM2D(4, 3)(np.ones((1, 5, 8, 8, 2))).shape
    (1, 6, 6, 4)
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Recurrent layer over sequences of volumes: an LSTM of convolutions.

    gates = kernel * x_t + recurrent_kernel * h_(t-1) + bias, with convolutions *
    c_t = σ(forget) · c_(t-1) + σ(input) · activation(candidate)
    h_t = σ(output) · activation(c_t)

    Args:
        filters: int >= 1, channels of the states and of the output.
        kernel_size: int >= 1 or three ints, size of the window.
        strides: int >= 1 or three ints, step of the convolution of the inputs.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros.
            The convolution of the state always keeps its size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or three ints, distance between the entries of a window;
            above 1 it excludes strides above 1.
        activation: name or function for candidate and memory; None is the identity.
        recurrent_activation: name or function σ of the gates.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (*kernel_size, channels, 4 · filters)
            kernel.
        recurrent_initializer: initializer of the (*kernel_size, filters, 4 · filters)
            recurrent kernel.
        bias_initializer: initializer of the (4 · filters,) bias.
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
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, depth, rows, columns, channels), or with the channels
    after the steps for `"channels_first"`.
    Output shape: (batch, depth', rows', columns', filters), with the steps as axis 1
    for `return_sequences`.

    Raises:
        ValueError: an invalid argument, or inputs whose spatial sizes are not known.

    Source: Shi et al. 2015, https://arxiv.org/abs/1506.04214.

    >>> keras.layers.ConvLSTM3D(4, 3)(np.ones((1, 2, 4, 4, 4, 2))).shape
    (1, 2, 2, 2, 4)
    """

    rank = 3
