"""`keras.ops.nn`: the functions of neural networks."""

from minikeras.ops import activation as _activation
from minikeras.ops import adaptive_pooling as _adaptive_pooling
from minikeras.ops import attention as _attention
from minikeras.ops import convolution as _convolution
from minikeras.ops import ctc as _ctc
from minikeras.ops import encodings as _encodings
from minikeras.ops import losses as _losses
from minikeras.ops import normalization as _normalization
from minikeras.ops import patches as _patches
from minikeras.ops import pooling as _pooling
from minikeras.ops.activation import *
from minikeras.ops.adaptive_pooling import *
from minikeras.ops.attention import *
from minikeras.ops.complex_numbers import polar
from minikeras.ops.convolution import *
from minikeras.ops.ctc import *
from minikeras.ops.encodings import *
from minikeras.ops.image_quality import psnr
from minikeras.ops.losses import *
from minikeras.ops.normalization import *
from minikeras.ops.patches import *
from minikeras.ops.pooling import *

__all__ = ["polar", "psnr"]
__all__ += _activation.__all__
__all__ += _adaptive_pooling.__all__
__all__ += _attention.__all__
__all__ += _convolution.__all__
__all__ += _ctc.__all__
__all__ += _encodings.__all__
__all__ += _losses.__all__
__all__ += _normalization.__all__
__all__ += _patches.__all__
__all__ += _pooling.__all__
__all__[:] = sorted(__all__)  # in place: pyright reads the lines above
