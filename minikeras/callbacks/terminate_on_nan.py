"""TerminateOnNaN: stops training at a loss that is NaN or infinite."""

import math

from minikeras.callbacks.callback import Callback
from minikeras.core.printing import print_msg


class TerminateOnNaN(Callback):
    """Stops training after the first batch with a loss that is NaN or infinite.

    It reads the loss of every batch, so each step waits for the device.

    Args:
        raise_error: True raises RuntimeError in `fit`; `on_train_end` of callbacks is
            then not called. False ends `fit` as usual.
    """

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}: {float(loss)}. Lower "
                "the learning rate, clip the gradients, or look for NaN in the data."
            )
        print_msg(f"Batch {batch}: the loss is {float(loss)}, training ends here.")
        self.model.stop_training = True
