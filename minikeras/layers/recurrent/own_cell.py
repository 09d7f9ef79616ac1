"""OwnCellRNN: recurrent layers that make their cell of their own arguments."""

from operator import attrgetter
from typing import Any

from minikeras.core.constructor_arguments import init_parameters
from minikeras.core.naming import to_snake_case
from minikeras.layers.configuration import own_arguments
from minikeras.layers.recurrent.cell import GatedCell
from minikeras.layers.recurrent.rnn import RNN


class OwnCellRNN(RNN):
    """A recurrent layer with a cell of a fixed class.

    A subclass names it, `class LSTM(OwnCellRNN, cell=LSTMCell)`, and has the cell's
    arguments among its own; the cell keeps them, and the layer reads them there.
    """

    _mk_cell_class: type
    _mk_not_in_config: tuple[str, ...] = ()

    def __init_subclass__(cls, cell: Any = None, **kwargs):
        super().__init_subclass__(**kwargs)
        if cell is not None:
            cls._mk_cell_class = cell
            for name in init_parameters(cell):
                setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def _mk_start(self, arguments, **more):
        """The constructor: make the cell, then be an RNN of it.

        Args:
            arguments: the `locals()` of the subclass's `__init__`.
            **more: arguments of the cell that the layer does not have.
        """
        make = self._mk_cell_class
        own = set(init_parameters(make))
        given = own_arguments(arguments)
        given.pop("use_cudnn", None)
        kwargs = dict(arguments["kwargs"])
        for_cell = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        if issubclass(make, GatedCell) and "implementation" in kwargs:
            for_cell["implementation"] = kwargs.pop("implementation")
        for_cell |= {k: v for k, v in given.items() if k in own} | more
        cell = make(name=to_snake_case(make.__name__), **for_cell)
        rest = {k: v for k, v in given.items() if k not in own}
        RNN.__init__(self, cell, **rest, **kwargs)

    def get_config(self):
        """The constructor's arguments."""
        config = {"activity_regularizer": None, **super().get_config()}
        for name in ("cell", "use_cudnn", *self._mk_not_in_config):
            config.pop(name, None)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new layer from `get_config()`."""
        del custom_objects  # nothing in the config stands for an object of the user's
        return super(RNN, cls).from_config(config)


def check_use_cudnn(value):
    """`value` if it is "auto", True or False."""
    if value not in ("auto", True, False):
        raise ValueError(
            "Invalid valid received for argument `use_cudnn`. Expected one of "
            f"{{'auto', True, False}}. Received: use_cudnn={value}"
        )
    return value
