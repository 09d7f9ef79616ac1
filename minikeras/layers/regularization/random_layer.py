"""RandomLayer: base of the layers that are random in training."""

from minikeras.layers.layer import Layer
from minikeras.random.seed_generator import SeedGenerator


class RandomLayer(Layer):
    """A layer that returns its inputs, or `_mk_training_output` in training."""

    def _mk_init_random(self, strength, seed):
        """Finish the constructor; with a strength of 0 the layer has no effect."""
        self.seed = seed
        self._mk_has_effect = strength > 0
        # A generator without a seed draws one from Python's `random`. As in Keras, a
        # layer without effect must not: it would change the seeds of later layers.
        if self._mk_has_effect:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs, training=False):
        """Return the inputs, changed at random in training.

        Args:
            inputs: array of any shape.
            training: bool, whether to change the inputs.
        """
        return (
            self._mk_training_output(inputs)
            if training and self._mk_has_effect
            else inputs
        )

    def compute_output_shape(self, input_shape):
        """Return the shape of the inputs, also if a fixed noise shape needs one size.

        Args:
            input_shape: shape of the inputs, with the batch axis.
        """
        return input_shape

    def _mk_training_output(self, inputs):
        """The outputs in training."""
        raise NotImplementedError
