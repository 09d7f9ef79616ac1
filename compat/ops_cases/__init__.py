"""How to draw a call of each function of `keras.ops`: {name: draw -> (args, kwargs)}.

Arrays are numpy's and stand for inputs: they become KerasTensors when shapes are
compared. Image functions, adaptive pools, CTC and `rearrange` have their own table
(`test_image_parity.py`).
"""

from compat.ops_cases import arithmetic, elementwise, shapes  # they fill the table
from compat.ops_cases.drawing import DRAWS, Draw, generated, corrupted

__all__ = [
    "DRAWS",
    "Draw",
    "arithmetic",
    "generated",
    "elementwise",
    "shapes",
    "corrupted",
]
