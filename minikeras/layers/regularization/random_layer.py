"""RandomLayer: base of the layers that are random while they train."""

from minikeras.layers.layer import Layer
from minikeras.random.seed_generator import SeedGenerator


class RandomLayer(Layer):
    """The identity, except that `training=True` puts `_mk_perturb` in its place."""

    def _mk_prepare(self, strength, seed):
        """End of the constructor; a strength of 0 is the identity for good."""
        self.seed = seed
        self._mk_active = strength > 0
        # A generator without a seed draws one from Python's `random`: a layer that
        # does nothing must not, or the seeds of the layers after it would shift.
        if self._mk_active:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs, training=False):
        """_mk_perturb(inputs) in training, else inputs."""
        return self._mk_perturb(inputs) if training and self._mk_active else inputs

    def compute_output_shape(self, input_shape):
        """The inputs' shape, also where a fixed shape of the noise needs a size."""
        return input_shape

    def _mk_perturb(self, inputs):
        """The random function of the inputs."""
        raise NotImplementedError
