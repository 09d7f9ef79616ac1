"""ProgbarLogger: prints progress to the terminal."""

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.progbar import Progbar
from minikeras.core.printing import print_msg


class ProgbarLogger(Callback):
    """Prints the number of each epoch, a progress bar and the metrics.

    `params["verbose"]`: 0 prints nothing, 1 a live bar, 2 one line for each epoch. The
    logs are read, which waits for the device, only when they are drawn.
    """

    _mk_batches_may_be_skipped = True

    def __init__(self):
        super().__init__()
        self.seen = 0
        self.progbar = None
        self.target = None
        self.verbose = 1
        self.epochs = 1
        self._mk_training = False

    def set_params(self, params):
        self.params = params
        self.verbose = params.get("verbose", 1)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs=None):
        self._mk_training = True

    def on_train_end(self, logs=None):
        self._mk_training = False

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_new_progbar()
        if self.verbose and self.epochs > 1:
            print_msg(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs=None):
        if not self._mk_training:
            self._mk_new_progbar()

    def on_predict_begin(self, logs=None):
        if not self._mk_training:
            self._mk_new_progbar()

    def on_train_batch_end(self, batch, logs=None):
        self._mk_step(batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        if not self._mk_training:
            self._mk_step(batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        if not self._mk_training:
            self._mk_step(batch, None)

    def on_epoch_end(self, epoch, logs=None):
        self._mk_finish(logs)

    def on_test_end(self, logs=None):
        if not self._mk_training:
            self._mk_finish(logs)

    def on_predict_end(self, logs=None):
        if not self._mk_training:
            self._mk_finish(None)

    def _mk_new_progbar(self):
        """Start a new bar, at 0."""
        self.seen = 0
        # Metrics in the logs are averages already, so the bar must not average them.
        self.progbar = Progbar(
            self.target, verbose=self.verbose, stateless_metrics=[], unit_name="step"
        )

    def _mk_step(self, batch, logs):
        """Draw the bar after a batch, if the last drawing is old enough."""
        self.seen = batch + 1
        if self.verbose == 1 and self.progbar is not None:
            if self.progbar.is_due(self.seen):
                values = list((logs or {}).items())
                self.progbar.update(self.seen, values, finalize=False)

    def _mk_finish(self, logs):
        """Draw the bar for the last time, and end its line."""
        if self.verbose and self.progbar is not None:
            if self.progbar.target is None:
                self.progbar.target = self.target = self.seen
            values = list((logs or {}).items())
            self.progbar.update(self.seen or self.target, values, finalize=True)
        self.progbar = None
