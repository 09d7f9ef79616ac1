"""FixedCellRNN: base of the recurrent layers that create their own cell."""

from operator import attrgetter
from typing import Any

from minikeras.core.constructor_arguments import init_parameters
from minikeras.core.naming import to_snake_case
from minikeras.layers.configuration import own_arguments
from minikeras.layers.recurrent.cell import GatedCell
from minikeras.layers.recurrent.rnn import RNN


class FixedCellRNN(RNN):
    """A recurrent layer whose cell has a fixed class.

    A subclass names the class, `class LSTM(FixedCellRNN, cell=LSTMCell)`, and has the
    cell's arguments among its own. The cell stores them; the layer has a property for
    each that reads the cell's attribute.
    """

    _mk_cell_class: type
    _mk_not_in_config = ("cell", "use_cudnn")
    _mk_always_in_config = ("activity_regularizer",)

    def __init_subclass__(cls, cell: Any = None, **kwargs):
        super().__init_subclass__(**kwargs)
        if cell is not None:
            cls._mk_cell_class = cell
            for name in init_parameters(cell):
                getter = attrgetter(f"cell.{name}")
                setattr(cls, name, property(getter, doc=f"`{name}` of the cell."))

    def _mk_init_with_cell(self, arguments, **more):
        """Finish the constructor: create the cell, then call `RNN.__init__` with it.

        Args:
            arguments: the `locals()` of the subclass's `__init__`.
            **more: arguments of the cell that the layer does not have.
        """
        cell_class = self._mk_cell_class
        cell_parameters = set(init_parameters(cell_class))
        own = own_arguments(arguments)
        own.pop("use_cudnn", None)
        kwargs = dict(arguments["kwargs"])
        for_cell = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        if issubclass(cell_class, GatedCell) and "implementation" in kwargs:
            for_cell["implementation"] = kwargs.pop("implementation")
        for_cell |= {k: v for k, v in own.items() if k in cell_parameters} | more
        cell = cell_class(name=to_snake_case(cell_class.__name__), **for_cell)
        rest = {k: v for k, v in own.items() if k not in cell_parameters}
        RNN.__init__(self, cell, **rest, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a layer from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        del custom_objects  # the config of these layers names no other classes
        return super(RNN, cls).from_config(config)


def check_use_cudnn(value):
    """Return `value` if it is "auto", True or False; raise ValueError otherwise."""
    if value not in ("auto", True, False):
        raise ValueError(
            "Invalid valid received for argument `use_cudnn`. Expected one of "
            f"{{'auto', True, False}}. Received: use_cudnn={value}"
        )
    return value
