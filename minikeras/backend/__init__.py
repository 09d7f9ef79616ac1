"""`keras.backend`: settings, names and dtypes."""

from minikeras.settings import backend
from minikeras.settings import epsilon
from minikeras.settings import floatx
from minikeras.settings import image_data_format
from minikeras.settings import set_epsilon
from minikeras.settings import set_floatx
from minikeras.settings import set_image_data_format
from minikeras.core.dtypes import is_float as is_float_dtype
from minikeras.core.dtypes import is_int as is_int_dtype
from minikeras.core.dtypes import result_type
from minikeras.core.dtypes import standardize_dtype
from minikeras.core.naming import get_uid
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.training.session import clear_session

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
