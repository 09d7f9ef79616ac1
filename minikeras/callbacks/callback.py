"""The base class of callbacks."""

from minikeras.core.members import Alias
from minikeras.core.object_repr import describe, visible


class Callback:
    """Objects told by `fit`, `evaluate` and `predict` how the work goes.

    Override the hooks of interest. `logs` maps names to floats; in batch hooks it
    fetches them from the device when first read, so a hook that does not read it
    costs no waiting.

    Attributes:
        model: the model at work.
        params: dict with `epochs`, `steps` (None where unknown) and `verbose`.
    """

    # Batch hooks that this instance inherits but has no use for, as a dict from name
    # to the function: while a subclass does not override them, they are not called.
    _mk_idle_hooks = {}
    # Set where batch hooks need not be called after every batch, only now and then.
    _mk_batches_may_be_skipped = False

    _model = Alias("_mk_model")

    def __init__(self):
        self.params = None
        self._mk_model = None

    def set_params(self, params):
        """Receive `params` before any other hook."""
        self.params = params

    def set_model(self, model):
        """Receive the model before any other hook."""
        self._mk_model = model

    @property
    def model(self):
        return self._mk_model

    def on_batch_begin(self, batch, logs=None):
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """Another name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before epoch number `epoch`, counted from 0; `logs` is empty."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation, whose `logs` begin with `val_`."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before batch number `batch` of the epoch; `logs` is empty."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a batch; `logs` holds the epoch's metrics so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of `evaluate`, also of validation within `fit`."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of `evaluate`; `logs` holds the metrics so far."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of `predict`; `logs` holds its `outputs`."""

    def on_train_begin(self, logs=None):
        """Before the first epoch; `logs` is empty."""

    def on_train_end(self, logs=None):
        """After the last epoch; `logs` are those of its `on_epoch_end`."""

    def on_test_begin(self, logs=None):
        """Before `evaluate` or validation; `logs` is empty."""

    def on_test_end(self, logs=None):
        """After `evaluate` or validation; `logs` holds its metrics."""

    def on_predict_begin(self, logs=None):
        """Before `predict`; `logs` is empty."""

    def on_predict_end(self, logs=None):
        """After `predict`; `logs` is empty."""

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)
