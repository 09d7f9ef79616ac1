"""The base class of callbacks."""

from minikeras.core.members import Alias
from minikeras.core.object_repr import describe, visible


class Callback:
    """Base class of callbacks: `fit`, `evaluate` and `predict` call its hooks.

    Subclasses override hooks. `logs` is a dict from names of metrics to floats. In
    batch hooks it copies the values from the device when one is first read: a hook
    that does not read `logs` does not wait for the device.

    Attributes:
        model: the model that is trained, evaluated or used.
        params: dict with "epochs", "steps", "batch_size" (both None if unknown) and
            "verbose".

    >>> class PrintEpoch(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs)
    >>> PrintEpoch().on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    # {name of a batch hook: function}. A hook of this object with that function does
    # nothing, so the loop need not call it, nor stop at every batch for it.
    _mk_unused_hooks = {}
    # True if batch hooks need not be called for every batch: the progress bar's.
    _mk_batches_may_be_skipped = False

    _model = Alias("_mk_model")

    def __init__(self):
        self.params = None
        self._mk_model = None

    def set_params(self, params):
        """Receive `params`, before any hook.

        Args:
            params: dict with "epochs", "steps", "batch_size" (both None if unknown)
                and "verbose".
        """
        self.params = params

    def set_model(self, model):
        """Receive the model, before any hook.

        Args:
            model: the model that is trained, evaluated or used.
        """
        self._mk_model = model

    @property
    def model(self):
        """The model that is trained, evaluated or used."""
        return self._mk_model

    def on_batch_begin(self, batch, logs=None):
        """Called by `on_train_batch_begin`; the name of Keras 1.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: empty dict.
        """

    def on_batch_end(self, batch, logs=None):
        """Called by `on_train_batch_end`; the name of Keras 1.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: dict of the metrics of the epoch so far.
        """

    def on_epoch_begin(self, epoch, logs=None):
        """Called before an epoch of `fit`.

        Args:
            epoch: number of the epoch, from 0.
            logs: empty dict.
        """

    def on_epoch_end(self, epoch, logs=None):
        """Called after an epoch of `fit` and its validation.

        Args:
            epoch: number of the epoch, from 0.
            logs: dict of the epoch's metrics; names of validation start with `val_`.
        """

    def on_train_batch_begin(self, batch, logs=None):
        """Called before a batch of `fit`.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: empty dict.
        """
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """Called after a batch of `fit`.

        Args:
            batch: number of the batch in the epoch, from 0.
            logs: dict of the metrics of the epoch so far.
        """
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Called before a batch of `evaluate`, or of validation in `fit`.

        Args:
            batch: number of the batch, from 0.
            logs: empty dict.
        """

    def on_test_batch_end(self, batch, logs=None):
        """Called after a batch of `evaluate`, or of validation in `fit`.

        Args:
            batch: number of the batch, from 0.
            logs: dict of the metrics so far.
        """

    def on_predict_batch_begin(self, batch, logs=None):
        """Called before a batch of `predict`.

        Args:
            batch: number of the batch, from 0.
            logs: empty dict.
        """

    def on_predict_batch_end(self, batch, logs=None):
        """Called after a batch of `predict`.

        Args:
            batch: number of the batch, from 0.
            logs: dict with the batch's predictions, "outputs".
        """

    def on_train_begin(self, logs=None):
        """Called before the first epoch of `fit`.

        Args:
            logs: empty dict.
        """

    def on_train_end(self, logs=None):
        """Called after the last epoch of `fit`.

        Args:
            logs: dict, the logs of the last `on_epoch_end`.
        """

    def on_test_begin(self, logs=None):
        """Called before `evaluate`, or validation in `fit`.

        Args:
            logs: empty dict.
        """

    def on_test_end(self, logs=None):
        """Called after `evaluate`, or validation in `fit`.

        Args:
            logs: dict of its metrics.
        """

    def on_predict_begin(self, logs=None):
        """Called before `predict`.

        Args:
            logs: empty dict.
        """

    def on_predict_end(self, logs=None):
        """Called after `predict`.

        Args:
            logs: empty dict.
        """

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)
