"""How batches come to the device: a stream, chunks of arrays, or arrays that stay."""

from typing import Any

import jax

from minikeras import settings
from minikeras.core import platform
from minikeras.training.feed.base import BatchFeed, is_dense, size_in_bytes
from minikeras.training.feed.chunks import ChunkFeed, chunk_batches
from minikeras.training.feed.resident import ResidentFeed
from minikeras.training.feed.stream import StreamFeed

# The share of an accelerator's memory that a data set may take. The rest is for the
# model, its optimizer and the activations of a step, whose sizes are not known here.
_RESIDENT_SHARE = 0.25


def make_feed(
    adapter: Any,
    steps: int | None = None,
    steps_per_execution: int = 1,
    allow_chunks: bool = True,
    reused: bool = False,
) -> BatchFeed:
    """Choose the feed for a source of data.

    Args:
        adapter: the source.
        steps: batches of an epoch; None: as many as the source has.
        steps_per_execution: batches between two calls of the batch hooks; an epoch
            takes whole executions.
        allow_chunks: may several batches go to the device together? Steps that run
            eagerly take them one by one.
        reused: is the data read for several epochs? Then it stays on an accelerator
            where it fits.
    """
    limit = settings.max_steps_per_epoch()
    steps = steps if limit is None else min(steps or limit, limit)
    if allow_chunks and steps is None and is_dense(adapter):
        if _stays_on_device(adapter.arrays, reused):
            return ResidentFeed(adapter, steps_per_execution, reused)
        batches = chunk_batches(adapter, steps_per_execution)
        if batches or platform.is_cpu():
            return ChunkFeed(adapter, steps_per_execution, batches, reused)
    return StreamFeed(adapter, steps, steps_per_execution)


def _stays_on_device(arrays, reused) -> bool:
    """Are the arrays on an accelerator, or is there room for them, to be used again?"""
    # To copy the data and gather its rows on a CPU took a third of the step of the
    # smallest network: there the host puts batches together in place.
    if platform.is_cpu():
        return False
    leaves = jax.tree_util.tree_leaves(arrays)
    on_device = all(isinstance(leaf, jax.Array) for leaf in leaves)
    return on_device or reused and _fits(arrays)


def _fits(arrays):
    return size_in_bytes(arrays) <= platform.memory_limit() * _RESIDENT_SHARE
