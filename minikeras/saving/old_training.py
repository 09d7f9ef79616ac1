"""The arguments of `compile` and the optimizer's state in `.h5` files."""

from typing import Any

from minikeras.saving.errors import FileError
from minikeras.saving.upgrades import upgrade_config

_FAMILIES = {
    "optimizer": "keras.optimizers",
    "loss": "keras.losses",
    "metrics": "keras.metrics",
    "weighted_metrics": "keras.metrics",
}
_SETTINGS = (
    "loss_weights",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
    "auto_scale_loss",
)
# Written beside the arguments, or arguments of TensorFlow alone.
_GONE = (
    "optimizer_config",
    "sample_weight_mode",
    "distribute",
    "target_tensors",
    "experimental_steps_per_execution",
    "from_serialized",
)


def compile_config(
    training: dict[str, Any], model_config: dict[str, Any], keras_version: str
) -> dict[str, Any]:
    """The `training_config` of a file as a config for `compile_from_config`.

    Args:
        training: the training config.
        model_config: the config of the model, in today's words.
        keras_version: version that wrote the file.

    Raises:
        FileError: something has no counterpart today.
    """
    if not isinstance(training, dict):
        raise FileError("It is no dict.", place="training_config")
    known = {*_FAMILIES, *_SETTINGS, *_GONE}
    if unknown := sorted(training.keys() - known):
        fault = f"`compile` has no arguments {unknown}."
        raise FileError(fault, place="training_config", remedy="Pass compile=False.")
    given = {"optimizer": training.get("optimizer_config"), **training}
    result = {key: given[key] for key in _SETTINGS if given.get(key) is not None}
    for key, module in _FAMILIES.items():
        value = _with_module(given.get(key), module)
        if "metrics" in key:
            value = _without_output_names(value, _output_names(model_config))
        result[key] = upgrade_config(value, keras_version)
    return result


def _with_module(value, module):
    """Configs of objects with their module: a loss and a metric may share a name."""
    if isinstance(value, list):
        return [_with_module(x, module) for x in value]
    if isinstance(value, dict) and "class_name" in value:
        return {"module": module, "registered_name": value["class_name"], **value}
    if isinstance(value, dict):
        return {key: _with_module(x, module) for key, x in value.items()}
    return value


def _output_names(model_config):
    """Names of the layers that give a model's outputs, if it has several."""
    inner = model_config["config"]
    ends = inner.get("output_layers") if isinstance(inner, dict) else None
    ends = list(ends.values()) if isinstance(ends, dict) else ends
    if not isinstance(ends, list) or not all(isinstance(x, list) for x in ends):
        return []
    return [str(x[0]) for x in ends if x]


def _without_output_names(metrics, outputs):
    """TensorFlow put the output's name before a metric's; `compile` does it again."""
    if isinstance(metrics, list):
        return [_without_output_names(x, outputs) for x in metrics]
    inner = metrics.get("config") if isinstance(metrics, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        return metrics
    name = inner["name"]
    for output in outputs:
        name = name.removeprefix(f"{output}_")
    return {**metrics, "config": {**inner, "name": name}}
