"""Traces of JAX in a range of batches, where TensorBoard's profile plugin looks."""

import numbers
import warnings

import jax


class BatchTrace:
    """Traces the batches of a range into a folder.

    Args:
        folder: the trace goes to `plugins/profile/<time>` in it.
        batches: number of a batch, counted from 1; a pair, or str "a,b", of the first
            and the last; 0: none.

    Attributes:
        batches: (first, last), or None.

    Raises:
        ValueError: `batches` is none of these.
    """

    def __init__(self, folder, batches):
        self.folder, self.batches = folder, _batch_range(batches)
        self._tracing = self._done = False

    def __getstate__(self):
        return vars(self) | {"_tracing": False}

    def begin(self, batch):
        """Start if the batch, counted from 1, is in the range."""
        if self.batches is None or self._tracing or self._done:
            return
        if batch >= self.batches[0]:
            try:
                jax.profiler.start_trace(self.folder)
                self._tracing = True
            except RuntimeError as error:  # another one runs
                warnings.warn(f"profile_batch: no trace: {error}", stacklevel=3)
                self._done = True

    def end(self, batch, logs):
        """Stop after the last batch of the range, when the device is done with it.

        Args:
            batch: number of the batch, counted from 1.
            logs: those of the batch; reading them waits for the device.
        """
        if self._tracing and self.batches is not None and batch >= self.batches[1]:
            jax.block_until_ready(dict(logs or {}))
            self.stop()

    def stop(self):
        """Write the trace, if one runs."""
        if self._tracing:
            self._tracing, self._done = False, True
            jax.profiler.stop_trace()

    def reset(self):
        """Let another training be traced."""
        self.stop()
        self._done = False


def _batch_range(batches):
    """(first, last) of an argument, or None."""
    found = batches.split(",") if isinstance(batches, str) else batches
    if isinstance(found, numbers.Integral) and not isinstance(found, bool):
        found = [found]
    try:
        first, last = (int(x) for x in (found * 2 if len(found) == 1 else found))
    except (TypeError, ValueError):
        first, last = -1, -1
    if (first, last) == (0, 0):
        return None
    if not 0 <= first <= last:
        raise ValueError(
            "TensorBoard: profile_batch is the number of a batch, or the first and the "
            f"last as a pair or as 'a,b', got {batches!r}."
        )
    return max(first, 1), last
