"""How to draw a layer of each class: its arguments, its inputs, its call."""

# The modules fill the table.
from compat.layer_draws import attention, core, recurrent
from compat.layer_draws.drawing import DRAWS, Case, drawn

__all__ = ["DRAWS", "Case", "attention", "core", "drawn", "recurrent"]
