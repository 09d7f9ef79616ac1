"""What may be created while a file is loaded, by what the file stores.

A config of a few bytes may ask for any number of weights. So the weights that a load
creates are counted before memory is taken for them, and get their initial values only
if the file turns out to have none for them.
"""

import math
from typing import Any

from minikeras.core.bridge import current
from minikeras.core.deferral import Deferral

# What a model creates besides the weights of its file: state of metrics, thresholds,
# filters of a spectrogram, the optimizer's slots in a file without them. 256 MiB.
_FREE_ELEMENTS, _ELEMENTS_PER_STORED = 1 << 26, 10
# Numbers that Python holds in lists, or that become tables, take so much more.
_PER_HOST_NUMBER = 16
# A layer is about 8 objects: with its initializers, its dtype policy, its cell.
_FREE_OBJECTS, _OBJECTS_PER_GROUP = 3_000, 50


def has_plain_items(values: Any) -> bool:
    """Has a list neither lists nor dicts? It may be an array of millions of numbers."""
    return {list, tuple, dict}.isdisjoint(map(type, values))


class Loading(Deferral):
    """`with Loading(elements, groups):` limits what the code within may create.

    Args:
        elements: number of scalars that the file stores.
        groups: number of groups in its weights file, at least one for each layer.
    """

    def __init__(self, elements: int, groups: int):
        self._stored = elements
        self._elements = _FREE_ELEMENTS + _ELEMENTS_PER_STORED * elements
        self._objects = _FREE_OBJECTS + _OBJECTS_PER_GROUP * groups
        self._variables: list[Any] = []

    def _changes(self):
        return {"serialization": current().serialization._replace(loading=self)}

    def __exit__(self, *exc):
        super().__exit__(*exc)
        if exc[0] is None:
            for variable in self._variables:  # those for which the file has no value
                variable.initialize()

    def take(self, elements: int, what: str) -> None:
        """Count scalars that are about to be created; ValueError if too many."""
        self._elements -= elements
        if self._elements < 0:
            raise ValueError(
                f"Refused: {what} takes {elements} numbers, more than a file that "
                f"stores {self._stored} can need. They were not created. If a metric "
                "needs them, pass compile=False."
            )

    def check_objects(self, config: Any) -> None:
        """ValueError if a config has far more objects than the file has weights."""
        left, pending = self._objects, [config]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                left -= _is_object(value)
                pending.extend(value.values())
            elif isinstance(value, (list, tuple)) and not has_plain_items(value):
                pending.extend(value)
            if left < 0:
                raise ValueError(
                    f"Refused: the config has more than {self._objects} objects, far "
                    "more than the file has weights for."
                )

    def defer(self, variable: Any) -> None:
        """Leave a new Variable without a value until it is read, assigned or kept."""
        what = f"the weight {variable.path} of shape {variable.shape}"
        self.take(math.prod(variable.shape), what)
        self._variables.append(variable)


def _is_object(config):
    """Is it the config of a layer or its like, and not of an op or a literal?"""
    name, module = config.get("class_name"), config.get("module")
    is_op = isinstance(module, str) and ".ops." in f".{module}."
    return isinstance(name, str) and not is_op and not name.startswith("__")


def reserve(numbers: int, what: str) -> None:
    """Count what code on the host is about to create, if a file is loaded.

    Args:
        numbers: how many.
        what: they are for, in errors.

    Raises:
        ValueError: the file that is loaded cannot need as many.
    """
    if (loading := current().serialization.loading) is not None:
        loading.take(_PER_HOST_NUMBER * numbers, what)
