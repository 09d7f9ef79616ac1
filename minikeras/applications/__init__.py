"""Networks for images, with weights trained on ImageNet."""

from minikeras.applications import convnext
from minikeras.applications import densenet
from minikeras.applications import efficientnet
from minikeras.applications import efficientnet_v2
from minikeras.applications import imagenet_utils
from minikeras.applications import inception_resnet_v2
from minikeras.applications import inception_v3
from minikeras.applications import mobilenet
from minikeras.applications import mobilenet_v2
from minikeras.applications import mobilenet_v3
from minikeras.applications import nasnet
from minikeras.applications import resnet
from minikeras.applications import resnet50
from minikeras.applications import resnet_v2
from minikeras.applications import vgg16
from minikeras.applications import vgg19
from minikeras.applications import xception
from minikeras.applications.convnext import ConvNeXtBase
from minikeras.applications.convnext import ConvNeXtLarge
from minikeras.applications.convnext import ConvNeXtSmall
from minikeras.applications.convnext import ConvNeXtTiny
from minikeras.applications.convnext import ConvNeXtXLarge
from minikeras.applications.densenet import DenseNet121
from minikeras.applications.densenet import DenseNet169
from minikeras.applications.densenet import DenseNet201
from minikeras.applications.efficientnet import EfficientNetB0
from minikeras.applications.efficientnet import EfficientNetB1
from minikeras.applications.efficientnet import EfficientNetB2
from minikeras.applications.efficientnet import EfficientNetB3
from minikeras.applications.efficientnet import EfficientNetB4
from minikeras.applications.efficientnet import EfficientNetB5
from minikeras.applications.efficientnet import EfficientNetB6
from minikeras.applications.efficientnet import EfficientNetB7
from minikeras.applications.efficientnet_v2 import EfficientNetV2B0
from minikeras.applications.efficientnet_v2 import EfficientNetV2B1
from minikeras.applications.efficientnet_v2 import EfficientNetV2B2
from minikeras.applications.efficientnet_v2 import EfficientNetV2B3
from minikeras.applications.efficientnet_v2 import EfficientNetV2L
from minikeras.applications.efficientnet_v2 import EfficientNetV2M
from minikeras.applications.efficientnet_v2 import EfficientNetV2S
from minikeras.applications.inception_resnet_v2 import InceptionResNetV2
from minikeras.applications.inception_v3 import InceptionV3
from minikeras.applications.mobilenet import MobileNet
from minikeras.applications.mobilenet_v2 import MobileNetV2
from minikeras.applications.mobilenet_v3 import MobileNetV3Large
from minikeras.applications.mobilenet_v3 import MobileNetV3Small
from minikeras.applications.nasnet import NASNetLarge
from minikeras.applications.nasnet import NASNetMobile
from minikeras.applications.resnet import ResNet50
from minikeras.applications.resnet import ResNet101
from minikeras.applications.resnet import ResNet152
from minikeras.applications.resnet_v2 import ResNet101V2
from minikeras.applications.resnet_v2 import ResNet152V2
from minikeras.applications.resnet_v2 import ResNet50V2
from minikeras.applications.vgg16 import VGG16
from minikeras.applications.vgg19 import VGG19
from minikeras.applications.xception import Xception

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "MobileNetV3Small",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "VGG19",
    "Xception",
    "convnext",
    "densenet",
    "efficientnet",
    "efficientnet_v2",
    "imagenet_utils",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
]
