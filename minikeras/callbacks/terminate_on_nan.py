"""Stop training at a loss that is not a number."""

import math

from minikeras.callbacks.callback import Callback
from minikeras.core.printing import print_msg


class TerminateOnNaN(Callback):
    """Stops training after the first batch whose loss is NaN or infinite.

    It reads the loss after every batch, which makes each step wait for the device.

    Args:
        raise_error: raise RuntimeError instead of ending `fit` in the ordinary way;
            `on_train_end` is then not called.
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
