"""The outputs of `predict`, on their way to the host."""

import collections

import jax
import numpy as np


class Predictions:
    """Outputs of `predict`, brought to the host two dispatches behind the device.

    Python never waits for the step that the device is at, and the device holds only
    a few dispatches of a large prediction.
    """

    _BEHIND = 2

    def __init__(self):
        self._on_device, self._parts = collections.deque(), []

    def add(self, outputs, stacked_steps):
        """Add the outputs of a dispatch, see `on_host`."""
        for leaf in jax.tree_util.tree_leaves(outputs):
            if isinstance(leaf, jax.Array):
                leaf.copy_to_host_async()
        self._on_device.append((outputs, stacked_steps))
        while len(self._on_device) > self._BEHIND:
            self._parts.append(on_host(*self._on_device.popleft()))

    def all(self):
        """The outputs of all samples, as new numpy arrays; None without any."""
        parts = self._parts + [on_host(*pending) for pending in self._on_device]
        return concatenated(parts) if parts else None


def on_host(outputs, stacked_steps):
    """Outputs of a dispatch, in numpy.

    Args:
        outputs: tree of arrays, (samples, …) or (capacity, samples, …).
        stacked_steps: None for the first shape; else how many steps are filled.
    """
    outputs = jax.tree_util.tree_map(np.asarray, outputs)
    if stacked_steps is None:
        return outputs
    return jax.tree_util.tree_map(
        lambda a: a[:stacked_steps].reshape(-1, *a.shape[2:]), outputs
    )


def concatenated(parts):
    """Outputs of several dispatches as one tree of arrays."""
    return jax.tree_util.tree_map(lambda *a: np.concatenate(a), *parts)
