"""Networks for images, with weights trained on ImageNet."""

from minikeras.applications import imagenet_utils
from minikeras.applications import resnet
from minikeras.applications import resnet50
from minikeras.applications import resnet_v2
from minikeras.applications import vgg16
from minikeras.applications import vgg19
from minikeras.applications.resnet import ResNet50
from minikeras.applications.resnet import ResNet101
from minikeras.applications.resnet import ResNet152
from minikeras.applications.resnet_v2 import ResNet101V2
from minikeras.applications.resnet_v2 import ResNet152V2
from minikeras.applications.resnet_v2 import ResNet50V2
from minikeras.applications.vgg16 import VGG16
from minikeras.applications.vgg19 import VGG19

__all__ = [
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "imagenet_utils",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
]
