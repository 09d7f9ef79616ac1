"""`keras.ops.image`: functions of images."""

from minikeras.ops import image_colour as _image_colour
from minikeras.ops import image_filters as _image_filters
from minikeras.ops import image_geometry as _image_geometry
from minikeras.ops import image_patches as _image_patches
from minikeras.ops import image_sizes as _image_sizes
from minikeras.ops.image_colour import *
from minikeras.ops.image_filters import *
from minikeras.ops.image_geometry import *
from minikeras.ops.image_patches import *
from minikeras.ops.image_quality import ssim
from minikeras.ops.image_sizes import *

__all__ = ["ssim"]
__all__ += _image_colour.__all__
__all__ += _image_filters.__all__
__all__ += _image_geometry.__all__
__all__ += _image_patches.__all__
__all__ += _image_sizes.__all__
__all__[:] = sorted(__all__)  # in place: pyright reads the lines above
