"""How to draw a layer of each class: its arguments, its inputs, its call."""

from compat.layer_draws import attention, core, fill, modules, recurrent, table, the
from compat.layer_draws.drawing import DRAWS, Case, drawn

__all__ = ["DRAWS", "Case", "attention", "core", "drawn"]
