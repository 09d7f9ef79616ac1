"""The VGG network of 19 layers; see `vgg16` for the family."""

from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from minikeras.applications.network import variant
from minikeras.applications.vgg16 import vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

VGG19 = variant(vgg, "VGG19", "vgg19", depth=19)
