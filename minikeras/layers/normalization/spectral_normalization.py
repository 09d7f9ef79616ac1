"""SpectralNormalization: keep the largest singular value of a kernel at 1."""

import jax.numpy as jnp
from jax import lax

from minikeras import initializers, ops
from minikeras.core.variable import Variable
from minikeras.layers.core.wrapper import Wrapper
from minikeras.layers.input_spec import InputSpec


def spectral_normalization(kernel, u, iterations=1):
    """kernel / sigma, where sigma is about the largest singular value of the kernel.

    Each iteration is v = normalize(u Wᵀ), u = normalize(v W); then sigma = v W uᵀ.

    Args:
        kernel: (..., n), used as a matrix W with n columns.
        u: (1, n), start value of the right singular vector.
        iterations: int >= 1.

    Returns:
        (new u, normalized kernel); u and v are constants for the gradient.
    """
    w = kernel.reshape(-1, kernel.shape[-1])
    v = None
    for _ in range(iterations):
        v = ops.normalize(u @ w.T, axis=None)
        u = ops.normalize(v @ w, axis=None)
    u, v = lax.stop_gradient(u), lax.stop_gradient(v)
    sigma = v @ w @ u.T
    return u, jnp.reshape(w / sigma, kernel.shape)


class SpectralNormalization(Wrapper):
    """Wrap a layer and divide its kernel by its largest singular value.

    kernel <- kernel / sigma, before each call with `training=True`

    The Lipschitz constant of the layer stays at most 1, which stabilizes the
    discriminators of GANs.

    Args:
        layer: layer with the weight `kernel` or `embeddings`.
        power_iterations: int >= 1, steps per call that estimate the singular value.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: `power_iterations` is below 1; when built: the layer has no such
            weight.

    Source: Miyato et al. 2018, https://arxiv.org/abs/1802.05957.

    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(4))
    >>> layer(np.ones((2, 3)), training=True).shape
    (2, 4)
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape):
        """Build the wrapped layer and create the vector u."""
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if not isinstance(kernel, Variable):
            raise ValueError(
                f"{type(self.layer).__name__} object has no attribute 'kernel' nor "
                f"'embeddings' that is a weight, which {self.path} could normalize "
                "(LoRA replaces it by an array)."
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            dtype=kernel.dtype,
            trainable=False,
        )

    def call(self, inputs, training=False):
        """Return layer(inputs); in training, normalize its kernel first.

        Args:
            inputs: inputs of the wrapped layer.
            training: bool, whether to normalize the kernel.
        """
        if training:
            # Keras uses a `cond`, which XLA compiles as one program. The same `cond`
            # rounds in the same way, outside of `jit` too.
            unchanged = (self.vector_u.value, self.kernel.value)
            u, kernel = lax.cond(True, self.normalized_weights, lambda: unchanged)
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        # Keras casts to the dtype of the inputs, so that integer inputs round the
        # outputs to integers.
        return self.layer(inputs).astype(self.compute_dtype)

    def normalized_weights(self):
        """Return (next u, normalized kernel), and assign neither."""
        return spectral_normalization(
            self.kernel.value, self.vector_u.value, self.power_iterations
        )
