"""StackedRNNCells: cells on top of each other, as one cell."""

import jax.numpy as jnp

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.call_signature import call_signature
from minikeras.layers.layer import Layer
from minikeras.layers.recurrent.cell import zero_states


def as_list(x):
    """A list or tuple as a list; anything else alone in one."""
    return list(x) if isinstance(x, (list, tuple)) else [x]


def output_size(cell):
    """Size of a cell's output: its own word, else that of its first state."""
    size = getattr(cell, "output_size", None)
    return as_list(cell.state_size)[0] if size is None else size


def initial_states(cell, batch_size, dtype):
    """The states with which a cell begins, alone or in a list."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    dtype, sizes = getattr(cell, "compute_dtype", dtype), cell.state_size
    states = zero_states(batch_size, as_list(sizes), dtype)
    return states if isinstance(sizes, (list, tuple)) else states[0]


def takes_training(cell):
    """Does the cell's `call` have an argument `training`?"""
    return call_signature(type(cell).call).has_training


class StackedRNNCells(Layer):
    """Several cells as one: each takes the output of the one before as its input.

    Args:
        cells: list of cells.

    Call (x, [states of the first cell, states of the second, …]) -> (output, the same
    nest of new states).

    Raises:
        ValueError: a cell without `call` or `state_size`.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            for name, kind in (("call", "a `call` method"), ("state_size",) * 2):
                if not hasattr(cell, name):
                    raise ValueError(
                        f"All cells must have {kind}. Received: {cell!r}, which has no "
                        f"`{name}`."
                    )
        self.cells = cells

    @property
    def state_size(self):
        """The state sizes of the cells: a list."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """Size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None):
        """List of what the cells begin with."""
        dtype = self.compute_dtype
        return [initial_states(cell, batch_size, dtype) for cell in self.cells]

    def build(self, input_shape):
        """Build each cell for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(tuple(input_shape))
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs, states, training=False, **kwargs):
        """One step of all cells: (output of the last, new states)."""
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            mode = {"training": training} if takes_training(cell) else {}
            inputs, after = cell(inputs, as_list(own), **mode, **kwargs)
            alone = not isinstance(own, (list, tuple))
            new.append(as_list(after)[0] if alone else after)
        return inputs, new

    def _mk_draw_masks(self, inputs, states):
        """Let the cells draw their dropout masks for the first step's inputs."""
        for cell, own in zip(self.cells, states, strict=True):
            if hasattr(cell, "_mk_draw_masks"):
                cell._mk_draw_masks(inputs, as_list(own))
            inputs = jnp.ones((len(inputs), output_size(cell)), inputs.dtype)

    def _mk_reset_masks(self):
        """Let the cells forget their dropout masks."""
        for cell in self.cells:
            if hasattr(cell, "_mk_reset_masks"):
                cell._mk_reset_masks()

    def get_config(self):
        """The constructor's arguments; the cells as their own configs."""
        cells = [serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new stack of new cells."""
        config = dict(config)
        cells = [deserialize_keras_object(c, custom_objects) for c in config["cells"]]
        return cls(**{**config, "cells": cells})
