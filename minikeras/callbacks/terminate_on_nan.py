"""TerminateOnNaN: stops training at a loss that is NaN or infinite."""

import math
from typing import Any

from minikeras.callbacks.callback import Callback
from minikeras.core.printing import print_msg


class TerminateOnNaN(Callback):
    """Stops training after the first batch with a loss that is NaN or infinite.

    It reads the loss of every batch, so each step waits for the device.

    Args:
        raise_error: True raises RuntimeError in `fit`; `on_train_end` of callbacks is
            then not called. False ends `fit` as usual.
        explain: True runs the last steps again, operation by operation, and says in
            which layer, operation, pass, step and rows the first bad number began.
            Until then, `fit` keeps a copy of its state and the last batches.

    Attributes:
        explanation: with `explain`, what was found; None before.
    """

    def __init__(self, raise_error=False, explain=False):
        super().__init__()
        self.raise_error = raise_error
        self.explain = explain
        self.explanation = None
        self._mk_runner: Any = None

    def _mk_watch(self, runner):
        """Let the runner of the training keep what an explanation needs."""
        if self.explain and runner.name == "train_step":
            self._mk_runner, runner.explains = runner, True

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.explain and self._mk_runner is not None:
            self.explanation, _ = self._mk_runner.tracer.explain()
        if self.raise_error:
            remedy = self.explanation or (
                "Lower the learning rate, clip the gradients, or look for NaN in the "
                "data."
            )
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}: {float(loss)}. {remedy}"
            )
        print_msg(f"Batch {batch}: the loss is {float(loss)}, training ends here.")
        if self.explanation:
            print_msg(self.explanation)
        self.model.stop_training = True
