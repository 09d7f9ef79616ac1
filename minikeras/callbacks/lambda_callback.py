"""A callback from loose functions."""

from minikeras.callbacks.callback import Callback


class LambdaCallback(Callback):
    """Calls the functions given, each with the arguments of its hook.

    Args:
        on_epoch_begin: function of `(epoch, logs)`.
        on_epoch_end: function of `(epoch, logs)`.
        on_train_begin: function of `(logs)`.
        on_train_end: function of `(logs)`.
        on_train_batch_begin: function of `(batch, logs)`.
        on_train_batch_end: function of `(batch, logs)`.
        **kwargs: any other hook, or attribute, by its name.
    """

    def __init__(
        self,
        on_epoch_begin=None,
        on_epoch_end=None,
        on_train_begin=None,
        on_train_end=None,
        on_train_batch_begin=None,
        on_train_batch_end=None,
        **kwargs,
    ):
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        self.__dict__.update(kwargs)
        self.__dict__.update({k: hook for k, hook in hooks.items() if hook is not None})
