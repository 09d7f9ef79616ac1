"""SwapEMAWeights: evaluates and saves the averages that the optimizer keeps."""

from minikeras.callbacks.callback import Callback
from minikeras.core.variable import assign_lock


class SwapEMAWeights(Callback):
    """Puts the moving averages of the weights in their place for evaluations.

    The optimizer keeps them with `use_ema=True`. They are the weights during an
    evaluation or prediction; then the weights come back. All stays on the device.

    Args:
        swap_on_epoch: bool, whether they are the weights also from the end of an epoch
            to the begin of the next. Callbacks that come later in the list, such as
            `ModelCheckpoint`, then see them at the end of epochs.

    Raises:
        ValueError: by `fit`, if the optimizer keeps no averages.

    >>> callback = SwapEMAWeights(swap_on_epoch=True)
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The weights of the training while the averages are in their place: of an
        # evaluation, and of the end of an epoch, in which none runs.
        self._mk_weights = {"evaluation": None, "epoch": None}

    def __getstate__(self):
        return vars(self) | {"_mk_weights": {"evaluation": None, "epoch": None}}

    def _mk_check_optimizer(self):
        optimizer = getattr(self.model, "optimizer", None)
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        parts = getattr(inner, "optimizers", [inner])  # of a MultiOptimizer
        if not any(getattr(part, "use_ema", False) for part in parts):
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the "
                f"optimizer; found {inner!r}. Compile with "
                "keras.optimizers.Adam(use_ema=True), say."
            )

    def _mk_put_averages(self, place):
        """Keep the weights, and put the averages in their place."""
        self._mk_check_optimizer()
        weights = list(self.model.trainable_variables)
        self._mk_weights[place] = [weight.value for weight in weights]
        with assign_lock:  # steps of other threads see all of them or none
            self.model.optimizer.finalize_variable_values(weights)

    def _mk_put_weights(self, place):
        """Put the weights back."""
        values, self._mk_weights[place] = self._mk_weights[place], None
        if values is None:
            return
        with assign_lock:
            weights = self.model.trainable_variables
            for weight, value in zip(weights, values, strict=True):
                weight.assign(value)

    def on_train_begin(self, logs=None):
        self._mk_check_optimizer()
        # A training that was interrupted has left what is no longer true.
        self._mk_weights = {"evaluation": None, "epoch": None}

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_put_weights("epoch")

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._mk_put_averages("epoch")

    def on_train_end(self, logs=None):
        # `fit` ends with the averages as weights.
        self._mk_weights["epoch"] = None

    def on_test_begin(self, logs=None):
        self._mk_put_averages("evaluation")

    def on_test_end(self, logs=None):
        self._mk_put_weights("evaluation")

    def on_predict_begin(self, logs=None):
        self._mk_put_averages("evaluation")

    def on_predict_end(self, logs=None):
        self._mk_put_weights("evaluation")
