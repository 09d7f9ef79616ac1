"""`keras.ops.numpy`: the functions that NumPy has too."""

from minikeras.ops import arithmetic as _arithmetic
from minikeras.ops import counting as _counting
from minikeras.ops import creation as _creation
from minikeras.ops import cumulative as _cumulative
from minikeras.ops import elementwise as _elementwise
from minikeras.ops import indexing as _indexing
from minikeras.ops import joining as _joining
from minikeras.ops import logic as _logic
from minikeras.ops import products as _products
from minikeras.ops import quantiles as _quantiles
from minikeras.ops import reduction as _reduction
from minikeras.ops import reshaping as _reshaping
from minikeras.ops import sorting as _sorting
from minikeras.ops import windows as _windows
from minikeras.ops.arithmetic import *

# Single names are from families that belong to no public module as a whole.
from minikeras.ops.control_flow import vectorize
from minikeras.ops.convert import array, ndim, view
from minikeras.ops.counting import *
from minikeras.ops.creation import *
from minikeras.ops.cumulative import *
from minikeras.ops.decompositions import slogdet
from minikeras.ops.elementwise import *
from minikeras.ops.indexing import *
from minikeras.ops.joining import *
from minikeras.ops.logic import *
from minikeras.ops.products import *
from minikeras.ops.quantiles import *
from minikeras.ops.reduction import *
from minikeras.ops.reshaping import *
from minikeras.ops.sorting import *
from minikeras.ops.windows import *

__all__ = ["array", "ndim", "slogdet", "vectorize", "view"]
__all__ += _arithmetic.__all__
__all__ += _counting.__all__
__all__ += _creation.__all__
__all__ += _cumulative.__all__
__all__ += _elementwise.__all__
__all__ += _indexing.__all__
__all__ += _joining.__all__
__all__ += _logic.__all__
__all__ += _products.__all__
__all__ += _quantiles.__all__
__all__ += _reduction.__all__
__all__ += _reshaping.__all__
__all__ += _sorting.__all__
__all__ += _windows.__all__
__all__[:] = sorted(__all__)  # in place: pyright reads the lines above
