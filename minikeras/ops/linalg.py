"""`keras.ops.linalg`: decompositions, solvers and norms."""

from minikeras.ops import decompositions as _decompositions
from minikeras.ops.decompositions import *
from minikeras.ops.differentiation import jvp

__all__ = ["jvp"]
__all__ += _decompositions.__all__
__all__[:] = sorted(__all__)  # in place: pyright reads the lines above
