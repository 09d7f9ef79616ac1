"""Steps that a user wrote or took apart, and steps with Keras's signature.

A step in Keras-on-JAX's form takes the state as lists of arrays and returns it. One in
TensorFlow's form takes the data alone and changes Variables in place.
"""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import jax

from minikeras.core.bridge import Bridge, isolated
from minikeras.core.variable import Variable
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.gradient_tape import GradientTape
from minikeras.training.protocol import TrainableModel
from minikeras.training.state import TrainState
from minikeras.training.step import Step, diff, merge

SECTIONS = {
    "train_step": ("params", "state", "opt_state", "metrics"),
    "test_step": ("params", "state", "metrics"),
    "predict_step": ("params", "state"),
}


def custom_step(model: TrainableModel, variables: TrainState, name: str) -> Step:
    """Make `step(sections, batch)` of a step that a user wrote for Keras on JAX.

    Such a step takes `(state, data)`. Its state is a tuple of lists of arrays, one for
    each of `SECTIONS[name]`. As in Keras, the results of the metrics replace its logs
    where both have the same keys.

    Args:
        model: has the step as its method `name`.
        variables: Variables of the state.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
    """

    def step(sections, batch):
        state = TrainState(*sections)
        lists = to_lists(variables, state, name)
        logs, new = getattr(model, name)(lists, batch)
        if name == "predict_step":
            new = (lists[0], new)
        state = state._replace(**from_lists(variables, new, name))
        if name != "predict_step":
            with Bridge(variables, state, owner=model):
                results = model.get_metrics_result()
            if isinstance(logs, dict) and set(logs) == set(results):
                logs = results
        state = tuple(state)
        return state if name == "train_step" else diff(sections, state), logs

    return step


def takes_data_alone(model: TrainableModel, name: str) -> bool:
    """Is a step of the user's in TensorFlow's form, `train_step(self, data)`?"""
    parameters = inspect.signature(getattr(model, name)).parameters.values()
    positional = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    needed = [p for p in positional if p.default is p.empty]
    return len(needed) == 1 or not needed and len(positional) == 1


def in_place_step(model: TrainableModel, variables: TrainState, name: str) -> Step:
    """Make `step(sections, batch)` of a step in TensorFlow's form.

    Args:
        model: has the step as its method `name`.
        variables: Variables of the state; `in_place_variables` has found further ones.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
    """

    def step(sections, batch):
        with Bridge(variables, TrainState(*sections), owner=model) as bridge:
            logs = getattr(model, name)(_packed(batch))
        if lost := [v.path for v in bridge.lost()]:
            raise ValueError(
                f"{name} of {model.name!r} assigns Variables that it did not use when "
                f"it was first traced: {', '.join(lost)}. Their new values would be "
                "lost. Call compile() again after replacing optimizers or metrics."
            )
        new = tuple(bridge.new())
        return (new if name == "train_step" else diff(sections, new)), logs

    return step


def touched_variables(fn: Callable[..., Any], *args: Any, **settings: Any) -> list:
    """The Variables that code reads or assigns; it is traced and changes nothing.

    Variables that it creates on its first call, such as the slots of optimizers, are
    created.

    Args:
        fn: code in Keras style.
        *args: trees of arrays; only their shapes and dtypes count.
        **settings: of the `Frame` that it runs in.
    """
    found: dict[int, Variable] = {}

    def note(variable, value):
        found[id(variable)] = variable
        return value

    with isolated(on_read=note, **settings) as frame:
        jax.eval_shape(fn, *args)
    # Those that were assigned without being read.
    found.update((id(v), v) for v in frame.bindings.new_variables)
    return [*found.values()]


def run_in_place(model: TrainableModel, data: Any, training: bool) -> dict[str, Any]:
    """The step that a model has by itself, in TensorFlow's form; returns the logs.

    Args:
        model: compiled; called and updated in place.
        data: a batch: x, (x, y) or (x, y, sample_weight).
        training: is the model updated, or evaluated?
    """
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    with GradientTape() if training else contextlib.nullcontext() as tape:
        y_pred = model(x, training=training)
        arguments = (x, y, y_pred, sample_weight, training)
        loss, logs = model._mk_loss_and_logs(*arguments)
        scaled = model.optimizer.scale_loss(loss) if training else loss
    if tape is not None:
        weights = model.trainable_variables
        gradients = tape.gradient(scaled, weights)
        model.optimizer.apply_gradients(zip(gradients, weights, strict=True))
    return logs


def _packed(batch):
    """x or (x, y) where the rest is None, as from a batch of `train_on_batch`."""
    while isinstance(batch, tuple) and len(batch) > 1 and batch[-1] is None:
        batch = batch[:-1] if len(batch) > 2 else batch[0]
    return batch


def in_place_variables(model: TrainableModel, names: list[str], batch: Any) -> list:
    """The Variables that steps in TensorFlow's form read or assign.

    The steps are traced, which creates what they create on their first call, and
    changes nothing else.

    Args:
        model: has the steps as methods.
        names: of the steps.
        batch: tree of arrays; only their shapes and dtypes count.
    """
    found = [
        touched_variables(getattr(model, name), _packed(batch), draws_of=model)
        for name in names
    ]
    return [v for part in found for v in part]


# The methods of Keras on JAX that make up a step. If a user overrides one of them, the
# step calls them. Otherwise it works on dicts by path, without their lists of arrays.
_LOSS = ("compute_loss_and_updates", "stateless_compute_loss", "stateless_call")
OVERRIDABLE = {"train_step": _LOSS, "test_step": _LOSS, "predict_step": _LOSS[-1:]}


def step_from_overrides(
    model: TrainableModel, variables: TrainState, name: str
) -> Step:
    """Make `step(sections, batch)` of the methods in `OVERRIDABLE`.

    Args:
        model: overrides one of them or more.
        variables: Variables of the state.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.
    """

    def train(lists, x, y, weight):
        params, others, slots, metrics = lists
        gradient = jax.grad(model.compute_loss_and_updates, has_aux=True)
        arguments = (params, others, metrics, x, y, weight)
        grads, (loss, y_pred, others, metrics) = gradient(
            *arguments, training=True, optimizer_variables=slots
        )
        params, slots = model.optimizer.stateless_apply(slots, grads, params)
        return (params, others, slots, metrics), loss, y_pred

    def test(lists, x, y, weight):
        params, others, metrics = lists
        _, (loss, y_pred, others, metrics) = model.compute_loss_and_updates(
            params, others, metrics, x, y, weight, training=False
        )
        return (params, others, metrics), loss, y_pred

    run = train if name == "train_step" else test

    def step(sections, batch):
        x, y, weight = unpack_x_y_sample_weight(batch)
        state = TrainState(*sections)
        lists = to_lists(variables, state, name)
        if name == "predict_step":
            outputs, others = model.stateless_call(
                *lists, x, **model._mk_training_kwargs(False)
            )
            state = state._replace(**from_lists(variables, (lists[0], others), name))
            return diff(sections, state), outputs
        lists, loss, y_pred = run(lists, x, y, weight)
        state = state._replace(**from_lists(variables, lists, name))
        with Bridge(variables, state, owner=model) as bridge:
            model._mk_track_loss(loss, x)
            logs = model.compute_metrics(x, y, y_pred, sample_weight=weight)
        new = tuple(bridge.new())
        return (new if name == "train_step" else diff(sections, new)), logs

    return step


def to_lists(variables: TrainState, values: TrainState, name: str) -> tuple:
    """Turn a state into the tuple of lists that Keras's method `name` takes."""
    # In the order of the Variables: the dict of arrays may have another one.
    return tuple(
        [getattr(values, s)[key] for key in getattr(variables, s)]
        for s in SECTIONS[name]
    )


def from_lists(variables: TrainState, lists: Any, name: str) -> dict[str, dict]:
    """The reverse of `to_lists`, as {section: {path: array}}."""
    return {
        s: dict(zip(getattr(variables, s), values, strict=True))
        for s, values in zip(SECTIONS[name], lists, strict=True)
    }


def keras_step(
    model: TrainableModel,
    variables: TrainState,
    maker: Callable[..., Step],
    lists: Any,
    data: Any,
    name: str,
) -> tuple[Any, tuple]:
    """Run a step with the signature that it has in Keras on JAX.

    Args:
        model: the model.
        variables: Variables of the state.
        maker: makes the step, such as `train_step`.
        lists: the state, a tuple of lists of arrays, one for each of `SECTIONS[name]`.
        data: a batch.
        name: `"train_step"`, `"test_step"` or `"predict_step"`.

    Returns:
        (logs, new state as lists).
    """
    # Sections that are no part of Keras's state, such as `carried`, are left out.
    empty = {
        section: {} for section in TrainState._fields if section not in SECTIONS[name]
    }
    variables = variables._replace(**empty)
    sections = tuple(TrainState(**empty, **from_lists(variables, lists, name)))
    new, logs = maker(model, variables)(sections, data)
    state = TrainState(*merge(sections, new))
    return logs, to_lists(variables, state, name)
