"""The one protocol between every source of data and the training loop.

A batch is `(x, y, sample_weight)`, or shorter where parts are absent.
"""

import operator

from minikeras.data.weights import check_class_weight


class Adapter:
    """A source of batches. A kind defines `takes`, `make` and `_batches`.

    Iterating gives the batches of one epoch from its start, in NumPy or JAX arrays,
    each in the form `pack_x_y_sample_weight` returns. The loop calls
    `on_epoch_begin` before and `on_epoch_end` after each epoch. With
    `steps_per_epoch`, it keeps one iterator over several epochs. Closing an iterator
    early, or an error in it, ends the threads and processes behind it.

    Attributes:
        what: what to call the source in messages.
        fallback: whether other kinds are asked first if they take a source.
        num_batches: batches an epoch, or None where unknown or endless.
        batch_size: samples in a whole batch, or None where unknown.
        has_partial_batch: whether an epoch's last batch is smaller.
        partial_batch_size: its size, or None.
    """

    kinds: list[type["Adapter"]] = []
    what = "data"
    fallback = False
    num_batches = None
    batch_size = None
    has_partial_batch = False
    partial_batch_size = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Adapter.kinds.append(cls)

    @staticmethod
    def takes(x) -> bool:
        """Is `x` a source of this kind?"""
        return False

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """The adapter of `x`; `beside` holds what came as y, sample_weight, …"""
        raise NotImplementedError(f"{cls.__name__} must define make().")

    def _batches(self):
        """A generator of one epoch's batches."""
        raise NotImplementedError(f"{type(self).__name__} must define _batches().")

    def __iter__(self):
        number = 0
        try:
            for batch in self._batches():
                yield batch
                number += 1
        except Exception as error:
            error.add_note(
                f"Raised while batch {number} (counted from 0) of the {self.what} was "
                "being fetched."
            )
            raise

    def close(self):
        """End the threads and processes that are kept from epoch to epoch."""

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


def get_adapter(
    x,
    y=None,
    sample_weight=None,
    batch_size=None,
    steps=None,
    shuffle=False,
    class_weight=None,
):
    """Wrap a source of data in the adapter for its kind.

    Args:
        x: arrays (also in lists, tuples, dicts), a `PyDataset`, a generator, a
            loader of PyTorch, TensorFlow or Grain, another iterable of batches, or an
            adapter, which comes back as it is.
        y: targets, with arrays only.
        sample_weight: weights, with arrays only.
        batch_size: samples a batch, with arrays only; default 32.
        steps: batches an epoch, as in `ArrayAdapter`.
        shuffle: see `ArrayAdapter` and `PyDatasetAdapter`.
        class_weight: dict from class number to weight, not with generators and
            loaders that know their own weights.

    Returns:
        An `Adapter`.

    Raises:
        ValueError: no adapter fits, or an argument does not go with the kind of `x`.
    """
    if isinstance(x, Adapter):
        return x
    if class_weight is not None:
        check_class_weight(class_weight)
    batch_size, steps = (
        count_or_none("batch_size", batch_size),
        count_or_none("steps", steps),
    )
    beside = {"y": y, "sample_weight": sample_weight, "class_weight": class_weight}
    for kind in sorted(Adapter.kinds, key=lambda kind: kind.fallback):
        if kind.takes(x):
            return kind.make(x, batch_size, steps, shuffle, **beside)
    raise ValueError(
        f"Unrecognized data type: {type(x).__name__}, {str(x)[:80]!r}. Expected "
        "arrays (NumPy, JAX, pandas, or lists of numbers), lists, tuples or dicts of "
        "them, a PyDataset, a generator, a data loader, or another iterable of "
        "batches."
    )


def count_or_none(name, value):
    """A number of samples or batches that may be left out: a positive int, or None.

    0 counts as left out, as in Keras: `len(x) // batch_size` of a few samples is 0.

    Raises:
        ValueError: it is anything else, such as 2.5 or "32".
    """
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(
            f"`{name}` must be a positive integer or None, got {value!r} "
            f"({type(value).__name__})."
        )
    return number or None


def refuse(kind, **arguments):
    """ValueError if one of the arguments was given beside this kind of `x`."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed: "
                f"yield it as part of each batch, (x, y, sample_weight). Got a "
                f"{type(value).__name__}."
            )


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """Shorten `(x, y, sample_weight)` to the form that `fit` hands to `train_step`.

    Args:
        x: inputs, any structure of arrays.
        y: targets, or None.
        sample_weight: weights, or None.

    Returns:
        `(x, y, sample_weight)`, `(x, y)`, or without `y` just `x`; an `x` that is
        itself a list or tuple comes back as `(x,)`.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    >>> pack_x_y_sample_weight([1, 2])
    ([1, 2],)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    if sample_weight is None:
        return (x, y)
    return (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """Lengthen one batch to `(x, y, sample_weight)`, with None for what is absent.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list counts as a
            tuple, anything else as `x`.

    Returns:
        A tuple of three.

    Raises:
        ValueError: an empty tuple or one of more than three parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return (data, None, None)
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "A batch is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got a "
            f"{type(data).__name__} of {len(data)} parts. Several inputs go together "
            "as one list, tuple or dict in the first place."
        )
    return (*data, None, None)[:3]
