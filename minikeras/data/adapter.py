"""Adapter: the protocol between sources of data and the training loop.

A batch is `(x, y, sample_weight)`, or shorter where parts are absent.
"""

import functools
import operator
from collections.abc import Iterator
from typing import Any

from minikeras.data.position import Passes, batches_behind
from minikeras.data.text import refuse_text
from minikeras.data.weights import check_class_weight


class Adapter:
    """A source of batches. Subclasses define `takes`, `make` and `_batches`.

    Iterating gives the batches of one epoch, of NumPy or JAX arrays, in the form that
    `pack_x_y_sample_weight` returns. The loop calls `on_epoch_begin` before and
    `on_epoch_end` after each epoch. With `steps_per_epoch` it uses one iterator for
    several epochs. Closing an iterator early, or an error in it, ends its threads and
    processes.

    Attributes:
        description: name of the source in messages.
        fallback: bool, whether the source is offered to the other classes first.
        num_batches: number of batches in an epoch; None if unknown or endless.
        batch_size: number of samples in a full batch; None if unknown.
        has_partial_batch: bool, whether the last batch of an epoch is smaller.
        partial_batch_size: its number of samples, or None.
        takes_text: bool, whether the model has layers that work on the host.
        refuses_text: bool, whether each batch is searched for strings and objects.
        passes: `Passes`, where the reading stands.
    """

    kinds: list[type["Adapter"]] = []
    description = "data"
    fallback = False
    num_batches: int | None = None
    batch_size: Any = None  # int | None
    has_partial_batch = False
    partial_batch_size: int | None = None
    takes_text = refuses_text = False

    @functools.cached_property
    def passes(self) -> Passes:
        """Where the reading stands, made when it is first needed."""
        return Passes()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Adapter.kinds.append(cls)

    @staticmethod
    def takes(x: Any) -> bool:
        """True if `x` is a source of this kind."""
        return False

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> "Adapter":
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        raise NotImplementedError(f"{cls.__name__} must define make().")

    def _batches(self) -> Iterator:
        """Generate the batches of one epoch."""
        raise NotImplementedError(f"{type(self).__name__} must define _batches().")

    def __iter__(self) -> Iterator:
        """Generate the batches; an error says at which batch it came."""
        number = self.passes.begin()
        try:
            for batch in batches_behind(self.passes, self._batches()):
                batch = refuse_text(batch, "it") if self.refuses_text else batch
                self.passes.batches = number = number + 1
                yield batch
        except Exception as error:
            error.add_note(
                f"Raised while batch {number} (counted from 0) of the "
                f"{self.description} was being fetched."
            )
            raise

    def close(self) -> None:
        """End the threads and processes that live for several epochs."""

    def on_epoch_begin(self) -> None:
        """Do nothing; the loop calls this hook before each epoch."""

    def on_epoch_end(self) -> None:
        """Do nothing; the loop calls this hook after each epoch."""

    def record_passes(self) -> None:
        """From now on, `passes` can tell its position."""
        self.passes.record()

    def refuse_text(self) -> None:
        """From now on, strings and objects in a batch are a ValueError."""
        self.refuses_text = True

    def peek(self) -> Any:
        """Return the first batch, which shows structure and shapes.

        The next epoch starts at the first batch again. Random numbers are drawn as in
        an epoch: Keras on JAX draws one shuffle when the first `fit` builds a model,
        before `on_train_begin`.
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
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str | None = False,
    class_weight: dict | None = None,
    takes_text: bool = False,
) -> Adapter:
    """Wrap a source of data in the adapter for its kind.

    Args:
        x: array, or list, tuple or dict of arrays; `PyDataset`; generator; data loader
            of PyTorch, TensorFlow or Grain; another iterable of batches; or an
            adapter, which is returned unchanged.
        y: targets, if `x` holds arrays.
        sample_weight: weights, if `x` holds arrays.
        batch_size: number of samples in a batch, if `x` holds arrays; None: 32.
        steps: number of batches in an epoch, if `x` holds arrays and `batch_size` is
            None.
        shuffle: bool, whether to shuffle; "batch", for arrays, shuffles within each
            batch.
        class_weight: {class number: weight}; None: no weights.
        takes_text: bool, whether the model reads strings.

    Returns:
        An `Adapter`.

    Raises:
        ValueError: no adapter fits, or an argument does not go with the kind of `x`.
    """
    if isinstance(x, Adapter):
        x.takes_text = takes_text
        return x
    if class_weight is not None:
        check_class_weight(class_weight)
    batch_size = count_or_none("batch_size", batch_size)
    steps = count_or_none("steps", steps)
    others = {"y": y, "sample_weight": sample_weight, "class_weight": class_weight}
    for kind in sorted(Adapter.kinds, key=lambda kind: kind.fallback):
        if kind.takes(x):
            adapter = kind.make(x, batch_size, steps, shuffle, **others)
            adapter.takes_text = takes_text
            if not takes_text:
                adapter.refuse_text()
            return adapter
    raise ValueError(
        f"Unrecognized data type: {type(x).__name__}, {str(x)[:80]!r}. Expected "
        "arrays (NumPy, JAX, pandas, or lists of numbers), lists, tuples or dicts of "
        "them, a PyDataset, a generator, a data loader, or another iterable of "
        "batches."
    )


def count_or_none(name: str, value: Any) -> int | None:
    """Return a number of samples or batches as a positive int; None stays None.

    0 gives None, as in Keras: users pass `len(x) // batch_size`, which may be 0.

    Raises:
        ValueError: the value is something else, such as 2.5 or "32".
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


def reject_arguments(kind: str, **arguments: Any) -> None:
    """Raise ValueError if an argument was passed that this kind of `x` excludes."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed: "
                f"yield it as part of each batch, (x, y, sample_weight). Got a "
                f"{type(value).__name__}."
            )


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Pack the parts of a batch in the form that `fit` passes to `train_step`.

    Args:
        x: inputs, any structure of arrays.
        y: targets, or None.
        sample_weight: weights, or None.

    Returns:
        `(x, y, sample_weight)`; `(x, y)` without weights; without `y`, `x` itself,
        or `(x,)` if `x` is a list or tuple.

    >>> keras.utils.pack_x_y_sample_weight(1, 2)
    (1, 2)
    >>> keras.utils.pack_x_y_sample_weight([1, 2])
    ([1, 2],)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    if sample_weight is None:
        return (x, y)
    return (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple:
    """Unpack a batch to `(x, y, sample_weight)`; missing parts are None.

    Args:
        data: `(x,)`, `(x, y)` or `(x, y, sample_weight)` as a tuple or list; anything
            else is `x`.

    Returns:
        Tuple of three.

    Raises:
        ValueError: a tuple or list with no part, or with more than three.

    >>> keras.utils.unpack_x_y_sample_weight((1, 2))
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
