"""ProgbarLogger: prints progress to the terminal."""

import time

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.progbar import Progbar, format_remaining
from minikeras.callbacks.progress import NotebookOutput, RemainingTime
from minikeras.core.platform import memory_in_use
from minikeras.core.printing import medium, print_msg
from minikeras.settings import is_interactive_logging_enabled


class LoopBar(Progbar):
    """A bar of `fit`, `evaluate` or `predict`: it shows rates and memory, too."""

    _mk_batch_size = None
    _mk_left = None  # function of (seconds of a step, steps left, steps) -> seconds
    _mk_each = None  # seconds of a step, when the last one has ended

    def end_steps(self, current):
        """The last step has ended: the time of a validation counts for no rate."""
        self._mk_each = self._seconds_per_step(current, time.time() - self._mk_start)

    def _mk_more(self, current, each, finalize):
        """Steps and samples in a second, the time left, and the memory in use."""
        more, each = [], self._mk_each or each
        if each > 0:
            more.append(f"{_format_rate(1 / each)} {self.unit_name}s/s")
            if self._mk_batch_size:
                more.append(f"{_format_rate(self._mk_batch_size / each)} samples/s")
        if self.target and self._mk_left is not None and not finalize:
            left = self._mk_left(each, max(self.target - current, 0), self.target)
            more.append(f"ETA {format_remaining(left)}")
        # Asked for only here, as often as the bar is drawn. Nothing waits for a step.
        if memory := memory_in_use():
            more.append(f"{memory / 2**30:.1f} GiB")
        return more


class ProgbarLogger(Callback):
    """Prints the number of each epoch, a progress bar and the metrics.

    `params["verbose"]`: 0 prints nothing, 1 a live bar, 2 one line for each epoch. The
    logs are read, which waits for the device, only when they are drawn.

    Behind what Keras shows, a live bar has steps and samples in a second, the time to
    the end of all epochs with their validations (ETA), and the memory that is in use:
    of the first device, or of the process where JAX computes on a CPU.
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
        self._mk_epoch = 0
        self._mk_remaining = RemainingTime()
        self._mk_notebook = None

    def set_params(self, params):
        self.params = params
        self.verbose = params.get("verbose", 1)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs=None):
        self._mk_training = True
        self._mk_remaining, self._mk_notebook = RemainingTime(), None

    def on_train_end(self, logs=None):
        self._mk_training = False

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_epoch = epoch
        if self._mk_notebook is None and self._mk_is_in_notebook():
            self._mk_notebook = NotebookOutput()
        self._mk_new_progbar()
        heading = f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else ""
        if self._mk_notebook is not None:
            self._mk_notebook.begin_epoch(heading)
        elif self.verbose and heading:
            print_msg(heading)

    def on_test_begin(self, logs=None):
        if self._mk_training:
            self._mk_remaining.end_steps()
            if self.progbar is not None:
                self.progbar.end_steps(self.seen)
        else:
            self._mk_notebook = None
            self._mk_new_progbar()

    def on_predict_begin(self, logs=None):
        if not self._mk_training:
            self._mk_notebook = None
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
        self._mk_remaining.end_epoch()
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
        self.progbar = LoopBar(
            self.target, verbose=self.verbose, stateless_metrics=[], unit_name="step"
        )
        self.progbar._mk_notebook = self._mk_notebook
        self.progbar._mk_batch_size = (self.params or {}).get("batch_size")
        self.progbar._mk_left = self._mk_seconds_left

    def _mk_is_in_notebook(self):
        live = self.verbose == 1 and is_interactive_logging_enabled()
        return live and medium() == "notebook"

    def _mk_seconds_left(self, each, left, steps):
        """Estimated seconds to the end of `fit`, or of the evaluation."""
        epochs_left = self.epochs - self._mk_epoch - 1 if self._mk_training else 0
        return self._mk_remaining.seconds(each, left, steps, epochs_left)

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


def _format_rate(rate):
    """A rate with three digits: `0.25`, `31.4`, `820`, `12.3k`."""
    for unit in ("", "k", "M", "G"):
        if rate < 1000 or unit == "G":
            break
        rate /= 1000
    digits = 0 if rate >= 100 else 1 if rate >= 10 else 2
    return f"{rate:.{digits}f}{unit}"
