"""Layers of Keras that run other frameworks: here they say what to use instead."""

from minikeras.layers.layer import Layer


class _Unsupported(Layer):
    """A layer that cannot be made, from arguments or from a file."""

    _mk_remedy: str

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__}: {self._mk_remedy}")

    @classmethod
    def from_config(cls, config):
        """Refused before anything in the config is looked at."""
        raise NotImplementedError(f"{cls.__name__}: {cls._mk_remedy}")


class TFSMLayer(_Unsupported):
    """Refused: a SavedModel is a program of TensorFlow, and may do anything.

    Raises:
        NotImplementedError: always.
    """

    _mk_remedy = (
        "this library runs on JAX alone and does not load SavedModels of TensorFlow. "
        "Rebuild the model from its code and load its weights (`.keras` or "
        "`.weights.h5`), or wrap a JAX function in `keras.layers.JaxLayer`."
    )

    def __init__(
        self,
        filepath,
        call_endpoint="serve",
        call_training_endpoint=None,
        trainable=True,
        name=None,
        dtype=None,
    ):
        super().__init__()


class TorchModuleWrapper(_Unsupported):
    """Refused: PyTorch modules do not run on JAX, and their files are pickles.

    Raises:
        NotImplementedError: always.
    """

    _mk_remedy = (
        "this library runs on JAX alone and does not run modules of PyTorch, nor "
        "load pickles of them. Write the module with `keras.layers`, or in JAX with "
        "`keras.layers.JaxLayer`, and set its weights from "
        "`module.state_dict()` as numpy arrays."
    )

    def __init__(self, module, name=None, output_shape=None, **kwargs):
        super().__init__()
