"""Dense: a fully connected layer."""

from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.kernels.lora import LoRALayer
from minikeras.layers.layer import Layer


def dense(x, kernel):
    """(..., n_in) @ (n_in, n_out) -> (..., n_out)."""
    return x @ kernel


class Dense(LoRALayer, Layer):
    """Connect every output with every input.

    activation(x @ kernel + bias)

    Args:
        units: int >= 1, size of the output's last axis.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (n_in, units) kernel.
        bias_initializer: initializer of the (units,) bias.
        kernel_regularizer, bias_regularizer: penalties on the weights; None for none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        kernel_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        lora_rank: int >= 1, freeze the kernel and train an update of this rank; None
            trains the kernel.
        lora_alpha: number, scales that update by lora_alpha / lora_rank; None takes
            `lora_rank`.
        quantization_config: accepted and stored, without effect.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ..., n_in). Output shape: (batch, ..., units).

    Raises:
        ValueError: `units` is not a positive integer; in a call: inputs of rank below
            2.

    >>> keras.layers.Dense(4, activation="relu")(np.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        positive_int(units, "units")
        self._mk_set_arguments(locals())
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        """Create the kernel and the bias.

        Args:
            input_shape: (batch, ..., n_in).
        """
        n_in = input_shape[-1]
        self._mk_build_kernel((n_in, self.units))
        self.bias = self._mk_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: n_in})
        self._mk_start_lora()

    @property
    def kernel(self):
        """The (n_in, units) kernel."""
        return self._mk_kernel_value()

    def call(self, inputs, training=None):
        """Return activation(inputs @ kernel + bias).

        Args:
            inputs: (batch, ..., n_in).
            training: bool, not used.
        """
        y = self._mk_bind_kernel(dense)(inputs)
        y = y if self.bias is None else y + self.bias
        return y if self.activation is None else self.activation(y)
