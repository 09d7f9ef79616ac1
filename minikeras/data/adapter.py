"""The one protocol between every source of data and the training loop."""


class Adapter:
    """A source of batches.

    Iterating gives the batches of one epoch from its start, in NumPy or JAX arrays,
    each in the form `pack_x_y_sample_weight` returns. The loop calls
    `on_epoch_begin` before and `on_epoch_end` after each epoch. With
    `steps_per_epoch`, it keeps one iterator over several epochs.

    Attributes:
        num_batches: batches an epoch, or None where unknown or endless.
        batch_size: samples in a whole batch, or None where unknown.
        has_partial_batch: whether an epoch's last batch is smaller.
        partial_batch_size: its size, or None.
    """

    num_batches = None
    batch_size = None
    has_partial_batch = False
    partial_batch_size = None

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} must define __iter__.")

    def on_epoch_begin(self):
        """Called by the loop before each epoch."""

    def on_epoch_end(self):
        """Called by the loop after each epoch."""

    def peek(self):
        """The first batch, to learn structure and shapes; nothing is lost.

        It draws random numbers as an epoch does: Keras on JAX consumes one shuffle
        when the first `fit` of a model builds it, before `on_train_begin`.
        """
        self.on_epoch_begin()
        iterator = iter(self)
        batch = next(iterator, None)
        if hasattr(iterator, "close"):
            iterator.close()
        self.on_epoch_end()
        if batch is None:
            raise ValueError(
                f"{type(self).__name__}: the data holds no batch; expected at least "
                "one sample. Check the length of what was passed as `x`."
            )
        return batch
