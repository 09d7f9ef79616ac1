"""SimpleRNN: the new state is a dense layer of the inputs and the previous state."""

from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.recurrent.cell import RecurrentCell
from minikeras.layers.recurrent.fixed_cell_rnn import FixedCellRNN
from minikeras.random.seed_generator import SeedGenerator


class SimpleRNNCell(RecurrentCell):
    """One step of a SimpleRNN.

    h' = activation(x · kernel + h · recurrent_kernel + bias)

    Call it on inputs (batch, n_in) and a list of states (batch, units); it returns the
    output (batch, units) and the list of new states.

    Args:
        units: int >= 1, size of the state and of the output.
        activation: name or function; None is the identity.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, units) kernel.
        recurrent_initializer: initializer of the (units, units) recurrent kernel.
        bias_initializer: initializer of the (units,) bias.
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

    >>> h, states = keras.layers.SimpleRNNCell(4)(np.ones((2, 3)), [np.zeros((2, 4))])
    >>> h.shape, len(states)
    ((2, 4), 1)
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
        self._mk_set_arguments(locals())
        self.state_size = self.output_size = units

    def build(self, input_shape):
        """Create the kernels and the bias.

        Args:
            input_shape: (batch, n_in).
        """
        self._mk_build_kernels(input_shape[-1])
        self.bias = self._mk_weight("bias", (self.units,)) if self.use_bias else None

    def _mk_uses_dropout(self, rate):
        """Is there a mask for this rate? A rate of 1 drops all here, as in Keras."""
        return rate > 0

    def _mk_step_masks(self, inputs, states, training):
        """The masks of one step; Keras draws them here even if they are not used."""
        masks = self._mk_draw_masks(inputs, states)
        return masks if training else (None, None)

    def _mk_apply_gates(self, z, states):
        """activation(z)"""
        return [self.activation(z)]


class SimpleRNN(FixedCellRNN, cell=SimpleRNNCell):
    """A recurrent layer whose output is also its state.

    h_t = activation(x_t · kernel + h_(t-1) · recurrent_kernel + bias)

    Args:
        units: int >= 1, size of the state and of the output.
        activation: name or function; None is the identity.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, units) kernel.
        recurrent_initializer: initializer of the (units, units) recurrent kernel.
        bias_initializer: initializer of the (units,) bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the
            weights, added to the loss; None for no penalty.
        activity_regularizer: ignored, as in Keras.
        kernel_constraint, recurrent_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        dropout: share of the inputs that is dropped in training, in [0, 1].
        recurrent_dropout: share of the states that is dropped in training, in [0, 1].
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
        seed: int, seed of the dropout masks; None draws one from Python's `random`.
        **kwargs: `zero_output_for_mask` of `RNN`; `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, steps, n_in).
    Output shape: (batch, units), or (batch, steps, units) with `return_sequences`;
    with `return_state` a tuple of it and the final states, (batch, units) each.

    Raises:
        ValueError: `units` is not a positive integer.

    >>> keras.layers.SimpleRNN(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    _mk_not_in_config = ("cell", "use_cudnn", "seed")

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
        self._mk_init_with_cell(locals())
        self.input_spec = [InputSpec(ndim=3)]
