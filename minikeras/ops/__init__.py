"""`keras.ops`: pure functions on arrays, recorded when called on KerasTensors.

Each family file lists the names of its ops once, in `__all__`. The public modules
`numpy`, `nn`, `linalg` and `image` are made of whole families, and this one of those.
"""

from minikeras.core import registry
from minikeras.ops import (
    complex_numbers,
    control_flow,
    convert,
    differentiation,
    einops,
    fourier,
    image,
    linalg,
    nn,
    numpy,
    ranking,
    segments,
    slices,
    special,
)
from minikeras.ops.complex_numbers import *
from minikeras.ops.control_flow import *
from minikeras.ops.convert import *
from minikeras.ops.differentiation import *
from minikeras.ops.einops import *
from minikeras.ops.fourier import *
from minikeras.ops.linalg import *
from minikeras.ops.nn import *
from minikeras.ops.numpy import *
from minikeras.ops.ranking import *
from minikeras.ops.segments import *
from minikeras.ops.slices import *
from minikeras.ops.special import *

_MODULES = ["image", "linalg", "nn", "numpy"]
__all__ = ["image", "linalg", "nn", "numpy"]
__all__ += complex_numbers.__all__
__all__ += control_flow.__all__
__all__ += convert.__all__
__all__ += differentiation.__all__
__all__ += einops.__all__
__all__ += fourier.__all__
__all__ += linalg.__all__
__all__ += nn.__all__
__all__ += numpy.__all__
__all__ += ranking.__all__
__all__ += segments.__all__
__all__ += slices.__all__
__all__ += special.__all__
# A few names are in two of them. Pyright does not follow an assignment of `__all__`.
__all__[:] = sorted({*__all__})
registry.register(
    "keras.ops",
    {name: globals()[name] for name in __all__ if name not in _MODULES},
)
