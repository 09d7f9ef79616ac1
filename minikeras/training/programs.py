"""Compiled steps of a model, kept between calls of `fit`, `evaluate`, `predict`."""

import jax

from minikeras.training import step as steps
from minikeras.training.state import TrainState

_MAKERS = {
    "train_step": steps.train_step,
    "test_step": steps.test_step,
    "predict_step": steps.predict_step,
}


def plain_step(model, variables: TrainState, name: str):
    """`step(state, source) -> (state, logs)`: the model's own if it overrides one."""
    if model._overrides(name):
        return steps.custom_step(model, variables, name)
    return _MAKERS[name](model, variables)


def program(model, variables: TrainState, name: str):
    """The step to call, compiled unless the model runs eagerly; state is donated."""
    key = (name, model._compiles(), _identity(variables))
    if key not in model._programs:
        step = plain_step(model, variables, name)
        if model._compiles():
            step = jax.jit(step, donate_argnums=0)
        model._programs[key] = step
    return model._programs[key]


def _identity(variables):
    return tuple(
        tuple((path, id(v)) for path, v in table.items()) for table in variables
    )
