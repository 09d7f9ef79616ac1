"""Functions of users in a pipeline: on the host, with seeds of each element."""

from typing import Any

import jax
import numpy as np

from minikeras.core.bridge import Bindings, Frame
from minikeras.core.platform import is_cpu


class ElementSeeds(Bindings):
    """Seed generators start each element from a state of its own.

    So random layers draw the same numbers for an element whatever thread maps it, and
    after a resume.

    Args:
        epoch: number of the pass over the data.
        stage: tells the maps of one data set apart.
        index: number of the element.
    """

    def __init__(self, epoch: int, stage: int, index: int):
        super().__init__({}, None)
        number = epoch * 2654435761 + stage * 97_003_601 + index * 64
        self._offset = np.uint32(number % 2**32)

    def lookup(self, variable: Any, default: Any = None) -> Any:
        found = super().lookup(variable, default)
        if found is None and variable.name == "seed_generator_state":
            start = np.asarray(variable._own_array())
            found = start + np.array([0, self._offset], dtype="uint32")
            self.bind(variable, found)
        return found


class HostFunction:
    """A function of users in a pipeline: NumPy in, NumPy out, on the host's CPU.

    Args:
        mapped: `MappedFunction`, or what asks a worker process for its results.
        epoch: number of the pass over the data.
        stage: number of this map in the data set.
    """

    def __init__(self, mapped: Any, epoch: int, stage: int = 0):
        self._mapped, self._epoch, self._stage = mapped, epoch, stage

    def __call__(self, index: int | None, element: Any) -> Any:
        seeds = None if index is None else ElementSeeds(self._epoch, self._stage, index)
        cpu = None if is_cpu() else jax.local_devices(backend="cpu")[0]
        try:
            with Frame(in_pipeline=True, bindings=seeds), jax.default_device(cpu):
                return self._mapped[element]
        except StopIteration as error:
            # It would end the data set, as if there were no more elements.
            raise RuntimeError("The function of a map raised StopIteration.") from error
        except Exception as error:
            where = "" if index is None else f" of element {index} (counted from 0)"
            error.add_note(f"Raised in Dataset.map{where}.")
            raise
