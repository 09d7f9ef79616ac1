"""StackedRNNCells: several cells on top of each other that act as one cell."""

import jax.numpy as jnp

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.call_signature import signature_of
from minikeras.layers.layer import Layer
from minikeras.layers.recurrent.cell import zero_states


def as_list(x):
    """A list or tuple as a list; any other value as a list of one."""
    return list(x) if isinstance(x, (list, tuple)) else [x]


def output_size(cell):
    """Size of a cell's output: its `output_size`, or its first state size."""
    size = getattr(cell, "output_size", None)
    return as_list(cell.state_size)[0] if size is None else size


def initial_states(cell, batch_size, dtype):
    """The states of a cell before the first step, alone or in a list."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    dtype, sizes = getattr(cell, "compute_dtype", dtype), cell.state_size
    states = zero_states(batch_size, as_list(sizes), dtype)
    return states if isinstance(sizes, (list, tuple)) else states[0]


def takes_training(cell):
    """Does the cell's `call` have an argument `training`?"""
    return signature_of(cell).has_training


class StackedRNNCells(Layer):
    """Several cells that act as one: each reads the output of the cell before.

    Call it on inputs (batch, n_in) and a list of the states of each cell; it returns
    the output of the last cell and the new states in the same nesting.

    Args:
        cells: list of cells.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: a cell has no `call` or no `state_size`.

    >>> cells = [keras.layers.GRUCell(3), keras.layers.GRUCell(4)]
    >>> cell = keras.layers.StackedRNNCells(cells)
    >>> keras.layers.RNN(cell)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            for name in ("call", "state_size"):
                if not hasattr(cell, name):
                    kind = "a `call` method" if name == "call" else name
                    raise ValueError(
                        f"All cells must have {kind}. Received: {cell!r}, which has no "
                        f"`{name}`."
                    )
        self.cells = cells

    @property
    def state_size(self):
        """List of the state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """Size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None):
        """Return the list of the initial states of the cells.

        Args:
            batch_size: int, number of sequences.
        """
        dtype = self.compute_dtype
        return [initial_states(cell, batch_size, dtype) for cell in self.cells]

    def build(self, input_shape):
        """Build each cell for the output of the cell before.

        Args:
            input_shape: (batch, n_in).
        """
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(tuple(input_shape))
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs, states, training=False, **kwargs):
        """Compute one step of all cells.

        Args:
            inputs: (batch, n_in).
            states: list with the states of each cell.
            training: bool, passed to the cells that have this argument.
            **kwargs: passed to every cell.

        Returns:
            (output of the last cell, new states in the nesting of `states`).
        """
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            mode = {"training": training} if takes_training(cell) else {}
            inputs, new_states = cell(inputs, as_list(own), **mode, **kwargs)
            is_single = not isinstance(own, (list, tuple))
            new.append(as_list(new_states)[0] if is_single else new_states)
        return inputs, new

    def _mk_draw_masks(self, inputs, states):
        """Let the cells draw their dropout masks for the inputs of the first step."""
        for cell, own in zip(self.cells, states, strict=True):
            if hasattr(cell, "_mk_draw_masks"):
                cell._mk_draw_masks(inputs, as_list(own))
            inputs = jnp.ones((len(inputs), output_size(cell)), inputs.dtype)

    def _mk_reset_masks(self):
        """Let the cells discard their dropout masks."""
        for cell in self.cells:
            if hasattr(cell, "_mk_reset_masks"):
                cell._mk_reset_masks()

    def get_config(self):
        """Return the constructor's arguments; the cells as their own configs."""
        cells = [serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a stack of new cells from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        config = dict(config)
        cells = [deserialize_keras_object(c, custom_objects) for c in config["cells"]]
        return cls(**{**config, "cells": cells})
