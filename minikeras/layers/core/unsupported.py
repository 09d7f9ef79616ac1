"""Layers of Keras that run other frameworks; here they raise and name a remedy."""

from minikeras.layers.layer import Layer


class _Unsupported(Layer):
    """A layer that cannot be created, neither from arguments nor from a file."""

    _mk_remedy: str

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__}: {self._mk_remedy}")

    @classmethod
    def from_config(cls, config):
        """Raise NotImplementedError before anything in the config is read.

        Args:
            config: dict of `get_config()`.
        """
        raise NotImplementedError(f"{cls.__name__}: {cls._mk_remedy}")


class TFSMLayer(_Unsupported):
    """A layer that is not supported: SavedModels are programs of TensorFlow.

    Args:
        filepath: path of the SavedModel, not read.
        call_endpoint: not used.
        call_training_endpoint: not used.
        trainable: not used.
        name: not used.
        dtype: not used.

    Raises:
        NotImplementedError: always.

    >>> keras.layers.TFSMLayer("model")
    Traceback (most recent call last):
    NotImplementedError: TFSMLayer: this library runs on JAX alone ...
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
    """A layer that is not supported: modules of PyTorch do not run on JAX.

    Args:
        module: not used.
        name: not used.
        output_shape: not used.
        **kwargs: not used.

    Raises:
        NotImplementedError: always.

    >>> keras.layers.TorchModuleWrapper(None)
    Traceback (most recent call last):
    NotImplementedError: TorchModuleWrapper: this library runs on JAX alone ...
    """

    _mk_remedy = (
        "this library runs on JAX alone and does not run modules of PyTorch, nor "
        "load pickles of them. Write the module with `keras.layers`, or in JAX with "
        "`keras.layers.JaxLayer`, and set its weights from "
        "`module.state_dict()` as numpy arrays."
    )

    def __init__(self, module, name=None, output_shape=None, **kwargs):
        super().__init__()
