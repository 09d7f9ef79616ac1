"""Dense: every output sees every input."""

from minikeras.core.checks import positive_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.kernels.kernel_layer import KernelLayer
from minikeras.layers.layer import Layer


def dense(x, kernel):
    """(..., n_in) @ (n_in, n_out) -> (..., n_out)."""
    return x @ kernel


class Dense(KernelLayer, Layer):
    """A fully connected layer.

    activation(x @ kernel + bias)

    Args:
        units: int >= 1, size of the output's last axis.
        activation: name or function; None is the identity.
        use_bias: add a bias?
        kernel_initializer, bias_initializer: of the (n_in, units) kernel and the
            (units,) bias.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: projections after each update.
        lora_rank, lora_alpha: see `enable_lora`.
        quantization_config: reserved.

    Input (..., n_in), output (..., units).

    Raises:
        ValueError: `units` is no positive integer; inputs of rank below 2.

    >>> import numpy as np
    >>> Dense(4, activation="relu")(np.ones((2, 3))).shape
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
        self._mk_set_arguments(locals())
        positive_int(units, "units")
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        """Create the kernel and the bias."""
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
        """activation(inputs @ kernel + bias)"""
        y = self._mk_kernel.bind(dense)(inputs)
        y = y if self.bias is None else y + self.bias
        return y if self.activation is None else self.activation(y)
