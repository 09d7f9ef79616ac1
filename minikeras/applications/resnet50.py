"""The residual network of 50 layers, under the name that old scripts import."""

from minikeras.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
