"""The base classes of feeds: `BatchFeed`, and `ArrayFeed` for arrays."""

from collections.abc import Iterator
from typing import Any

import jax

from minikeras.core.variable import is_sparse
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import ArrayAdapter
from minikeras.training.feed.dispatch import Dispatch


class BatchFeed:
    """Gives the loop its batches; subclasses bring them to the device.

    Args:
        adapter: the source.
        steps: batches of an epoch; None: as many as the source has.
        steps_per_execution: an epoch takes whole executions of so many batches.

    Attributes:
        num_batches: batches of an epoch; None where nobody knows.
        batch_size: samples of a batch; None where batches differ.
        batch_shapes: shapes and dtypes of a batch, where several steps can go in one
            dispatch; else None.
        max_steps_per_dispatch: the most batches that one dispatch can reach; None: all.
        on_host: function that makes of a batch what the step takes, or None.
        records: bool, whether `position` can tell where the feed is.
        is_open: bool, whether a pass over the source is under way.
    """

    on_host: Any = None
    records = False
    batch_shapes: Any = None
    max_steps_per_dispatch: int | None = 0

    def __init__(
        self, adapter: Any, steps: int | None = None, steps_per_execution: int = 1
    ):
        if adapter.num_batches == 0:
            raise ValueError("The data is empty: it holds no samples, no batch.")
        self.adapter, self.steps = adapter, steps
        self.steps_per_execution = steps_per_execution
        self.num_batches = steps or adapter.num_batches
        self.batch_size = adapter.batch_size
        self.is_open = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """End the threads and processes that the source has started."""
        self.adapter.close()

    def dispatches(self, steps_per_dispatch: int, given: int = 0) -> Iterator[Dispatch]:
        """Yield the dispatches of one epoch.

        Args:
            steps_per_dispatch: at most `max_steps_per_dispatch`; 0: single steps,
                without a loop.
            given: how many batches the epoch had when it stood where it goes on.
        """
        raise NotImplementedError

    def record(self) -> None:
        """From now on, `position` can tell where the feed is."""
        self.records = True
        self.adapter.record_passes()

    def position(self, batches: int) -> dict[str, Any]:
        """Where the source is, as plain data.

        Args:
            batches: how many of the epoch have been run.
        """
        raise NotImplementedError

    def go_on(self, position: dict[str, Any]) -> None:
        """Let the next `dispatches` start at a position of an equal feed."""
        self.adapter.passes.go_on(position)


class ArrayFeed(BatchFeed):
    """A feed of arrays, whose batches a step can cut out by itself.

    Args:
        adapter: an `ArrayAdapter` of dense arrays.
        steps_per_execution: see `BatchFeed`.
        max_steps_per_dispatch: the most batches that lie on the device together; None:
            all of them.
        reused: is the data read for more than one epoch?
    """

    def __init__(
        self,
        adapter: ArrayAdapter,
        steps_per_execution: int,
        max_steps_per_dispatch: int | None,
        reused: bool,
    ):
        super().__init__(adapter, None, steps_per_execution)
        self.max_steps_per_dispatch = max_steps_per_dispatch
        self.whole_batches, self.partial_batch_size = divmod(
            adapter.num_samples, self.batch_size
        )
        # A loop is one more program to compile: it must save enough single dispatches.
        if max_steps_per_dispatch != 0 and self.whole_batches >= (2 if reused else 4):
            self.batch_shapes = jax.tree_util.tree_map(
                lambda a: jax.ShapeDtypeStruct(
                    (self.batch_size, *a.shape[1:]),
                    jax.dtypes.canonicalize_dtype(a.dtype),
                ),
                self.arrays(),
            )

    def dispatches(self, steps_per_dispatch: int, given: int = 0) -> Iterator[Dispatch]:
        """Yield slices of the arrays; see `BatchFeed`."""
        passes, self.is_open = self.adapter.passes, True
        yield from self._slices(steps_per_dispatch, passes.begin())
        self.is_open = False

    def position(self, batches: int) -> dict[str, Any]:
        # A dispatch may be run in parts, to measure them.
        self.adapter.passes.batches = batches
        return self.adapter.passes.position(self.is_open)

    def _slices(self, steps_per_dispatch, given) -> Iterator[Dispatch]:
        """The dispatches of one epoch but its first batches, which were `given`."""
        raise NotImplementedError

    def arrays(self) -> Any:
        """The data set as one batch (x, y, sample_weight)."""
        # Asked for in each epoch: a callback may have replaced the data.
        return pack_x_y_sample_weight(*self.adapter.arrays)


def is_dense(adapter: Any) -> bool:
    """Does the adapter hold arrays, none of them sparse or empty?"""
    return (
        isinstance(adapter, ArrayAdapter)
        and adapter.num_samples > 0
        and not any(map(is_sparse, jax.tree_util.tree_leaves(adapter.arrays)))
    )


def size_in_bytes(arrays: Any) -> int:
    """Memory of a tree of arrays."""
    return sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(arrays))
