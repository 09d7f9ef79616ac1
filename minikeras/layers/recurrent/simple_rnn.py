"""SimpleRNN: the state is a dense layer of the inputs and of the state before."""

from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.own_cell import OwnCellRNN
from minikeras.random.seed_generator import SeedGenerator


class SimpleRNNCell(RecurrentCell):
    """One step of a SimpleRNN.

    h' = activation(x · kernel + h · recurrent_kernel + bias)

    Args:
        units: int >= 1, size of the state and of the output.
        activation: name or function; None is the identity.
        use_bias: add a bias?
        kernel_initializer, recurrent_initializer, bias_initializer: of the (n_in,
            units) kernel, the (units, units) recurrent kernel and the (units,) bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after
            each update.
        dropout, recurrent_dropout: shares of inputs and of states that are dropped
            while training, in [0, 1].
        seed: int; None takes one from Python's `random`.

    Call (x (batch, n_in), [h]) -> (h', [h']).

    Raises:
        ValueError: `units` is no positive integer.
    """

    def __init__(
        self,
        units,
        activation="tanh",
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
        seed=None,
        **kwargs,
    ):
        positive_int(units, "units")
        super().__init__(**kwargs)
        self.seed_generator = SeedGenerator(seed)  # Keras draws its seed first here
        self._mk_keep(locals())
        self.state_size = self.output_size = units

    def build(self, input_shape):
        """Create the kernels and the bias."""
        self._mk_build_kernels(input_shape[-1])
        self.bias = self._mk_weight("bias", (self.units,)) if self.use_bias else None

    def _mk_drops(self, rate):
        return rate > 0

    def _mk_masks_for(self, inputs, states, training):
        """As of other cells, but Keras draws the masks even if they are not used."""
        masks = self._mk_draw_masks(inputs, states)
        return masks if training else (None, None)

    def _mk_apply_gates(self, z, states):
        """activation(z)"""
        return [self.activation(z)]


class SimpleRNN(OwnCellRNN, cell=SimpleRNNCell):
    """A recurrent layer whose output is fed back as its state.

    h_t = activation(x_t · kernel + h_(t-1) · recurrent_kernel + bias)

    Args:
        units, …, recurrent_dropout, seed: as `SimpleRNNCell`.
        activity_regularizer: taken and not used, as in Keras.
        return_sequences, return_state, go_backwards, stateful, unroll: as `RNN`.

    Input (batch, steps, n_in), output (batch, units), or (batch, steps, units).

    Raises:
        ValueError: `units` is no positive integer.

    >>> import numpy as np
    >>> SimpleRNN(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    _mk_not_in_config = ("seed",)

    def __init__(
        self,
        units,
        activation="tanh",
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
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        activity_regularizer = None  # as in Keras, which takes it and drops it
        self._mk_start(locals())
        self.input_spec = [InputSpec(ndim=3)]
