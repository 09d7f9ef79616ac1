"""Functions for models that Keras 3 has not."""

import json

from minikeras import models as today


def model_from_config(config, custom_objects=None):
    """A model from its config: dict with `class_name` and `config`."""
    return today.model_from_json(json.dumps(config), custom_objects)


def model_from_yaml(yaml_string, custom_objects=None):
    """Refused: reading YAML can run code."""
    raise RuntimeError(
        "model_from_yaml: reading YAML can run code, so Keras has dropped it. Turn the "
        "text into a dict with a safe reader, then use model_from_config."
    )


__all__ = ["model_from_config", "model_from_yaml"]
