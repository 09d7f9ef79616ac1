"""What a feed gives the loop: batches, or slices that the device cuts itself."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax


@jax.tree_util.register_pytree_node_class
class BatchSlice:
    """A batch that a compiled step cuts out of larger arrays on the device.

    Args:
        arrays: a data set, or a part of it: like a batch with any number of samples.
        order: order of the samples, (n,) int32, or None for that of the arrays.
        start: the batch has the samples `order[start : start + size]`.
        size: samples of the batch, a Python int.
    """

    def __init__(self, arrays: Any, order: Any, start: Any, size: int):
        self.arrays, self.order = arrays, order
        self.start, self.size = start, size

    def tree_flatten(self):
        # The size is static, as shapes must be known: one program for each batch size.
        return (self.arrays, self.order, self.start), self.size

    @classmethod
    def tree_unflatten(cls, size, children):
        arrays, order, start = children
        return cls(arrays, order, start, size)

    def advance(self, batches: Any) -> "BatchSlice":
        """The slice that comes so many whole batches later."""
        start = self.start + batches * self.size
        return BatchSlice(self.arrays, self.order, start, self.size)

    def cut(self) -> Any:
        """The batch, as arrays of `size` samples."""

        def rows(a):
            return jax.lax.dynamic_slice_in_dim(a, self.start, self.size)

        if self.order is None:
            return jax.tree_util.tree_map(rows, self.arrays)
        chosen = rows(self.order)
        # The order is a permutation: saying so spares XLA the checks of the bounds.
        return jax.tree_util.tree_map(
            lambda a: a.at[chosen].get(mode="promise_in_bounds", unique_indices=True),
            self.arrays,
        )


class Dispatch(NamedTuple):
    """One call of a compiled program.

    Attributes:
        batch: a batch, or the `BatchSlice` of the first step.
        steps: how many steps the call runs.
        max_steps: None for one step without a loop. Else the most steps that the loop
            could run: XLA reserves memory for so many outputs of `predict_step`, and
            one program serves every smaller number of steps.
    """

    batch: Any
    steps: int = 1
    max_steps: int | None = None


def slices(
    first: BatchSlice, count: int, steps_per_dispatch: int
) -> Iterator[Dispatch]:
    """Yield dispatches of `count` batches from `first` on.

    Args:
        first: the first batch.
        count: how many batches.
        steps_per_dispatch: as a loop on the device; 0: single steps, without a loop.
    """
    for i in range(0, count, steps_per_dispatch or 1):
        if steps_per_dispatch == 0:
            yield Dispatch(first.advance(i))
        else:
            yield Dispatch(
                first.advance(i), min(steps_per_dispatch, count - i), steps_per_dispatch
            )
