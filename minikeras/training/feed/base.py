"""What all feeds have in common, and what those of arrays have."""

from typing import Any

import jax

from minikeras.core.variable import is_sparse
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import ArrayAdapter


class BatchFeed:
    """What the loop reads from; subclasses say how batches come to the device.

    Args:
        adapter: the source.
        steps: batches of an epoch; None: as many as the source has.
        steps_per_execution: an epoch takes whole executions of so many batches.

    Attributes:
        num_batches: batches of an epoch; None where nobody knows.
        batch_size: samples of a batch; None where batches differ.
        batch_shapes: shapes and dtypes of a batch, where several steps can go in one
            dispatch; else None.
        max_steps_per_dispatch: the most batches that one dispatch can reach.
    """

    batch_shapes: Any = None
    max_steps_per_dispatch = 0

    def __init__(self, adapter, steps=None, steps_per_execution=1):
        if adapter.num_batches == 0:
            raise ValueError("The data is empty: it holds no samples, no batch.")
        self.adapter, self.steps = adapter, steps
        self.steps_per_execution = steps_per_execution
        self.num_batches = steps or adapter.num_batches
        self.batch_size = adapter.batch_size

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """End the threads and processes that the source has started."""
        self.adapter.close()

    def dispatches(self, stride: int):
        """The `Dispatch`es of one epoch.

        Args:
            stride: steps of one dispatch, at most `max_steps_per_dispatch`; 0: single
                steps, without a loop.
        """
        raise NotImplementedError


class ArrayFeed(BatchFeed):
    """A feed of arrays, whose batches a step can cut out by itself.

    Args:
        adapter: an `ArrayAdapter` of dense arrays.
        steps_per_execution: see `BatchFeed`.
        max_steps_per_dispatch: the most batches that lie on the device together.
        reused: is the data read for more than one epoch?
    """

    def __init__(self, adapter, steps_per_execution, max_steps_per_dispatch, reused):
        super().__init__(adapter, None, steps_per_execution)
        self.max_steps_per_dispatch = max_steps_per_dispatch
        self.whole_batches, self.rest = divmod(adapter.num_samples, self.batch_size)
        # A loop is one more program to compile: it must save enough single dispatches.
        if max_steps_per_dispatch and self.whole_batches >= (2 if reused else 4):
            self.batch_shapes = jax.tree_util.tree_map(
                lambda a: jax.ShapeDtypeStruct(
                    (self.batch_size, *a.shape[1:]),
                    jax.dtypes.canonicalize_dtype(a.dtype),
                ),
                self.arrays(),
            )

    def arrays(self):
        """The data set as one batch (x, y, sample_weight)."""
        return pack_x_y_sample_weight(*self.adapter.arrays)


def is_dense(adapter) -> bool:
    """Does the adapter hold arrays, none of them sparse or empty?"""
    return (
        isinstance(adapter, ArrayAdapter)
        and adapter.num_samples > 0
        and not any(map(is_sparse, jax.tree_util.tree_leaves(adapter.arrays)))
    )


def size_in_bytes(arrays) -> int:
    """Memory of a tree of arrays."""
    return sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(arrays))
