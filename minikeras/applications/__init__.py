"""Networks for images, with weights trained on ImageNet."""

from minikeras.applications import imagenet_utils
from minikeras.applications import resnet
from minikeras.applications import resnet as resnet50
from minikeras.applications.resnet import ResNet50
from minikeras.applications.resnet import ResNet101
from minikeras.applications.resnet import ResNet152

__all__ = ["ResNet101", "ResNet152", "ResNet50", "imagenet_utils", "resnet", "resnet50"]
