"""The steps: pure functions from a state and a batch to a state and logs.

The state comes and goes as `sections`, a `TrainState` that is a plain tuple: see
`Program`. Training returns all of it, because its buffers are donated. Other steps
return only what they changed, because XLA copies an input that it returns unchanged.

The steps run the model's bare `call`, as Keras on JAX does. A graph passes `training`
to each of its layers. In a `call` that a user wrote, only those layers train that get
`training=`.
"""

from collections.abc import Callable
from typing import Any

import jax

from minikeras.core.bridge import Bridge
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.protocol import TrainableModel
from minikeras.training.state import TrainState

Step = Callable[[tuple, Any], tuple[tuple, Any]]


def train_step(model: TrainableModel, variables: TrainState) -> Step:
    """Make `step(sections, batch) -> (sections, logs)`: gradients, then an update."""

    def loss_fn(params, state, batch):
        x, y, sample_weight = batch
        with Bridge(variables, state._replace(params=params)) as bridge:
            y_pred = model.call(x, **model._mk_training_kwargs(True))
            loss, logs = model._mk_loss_and_logs(
                x, y, y_pred, sample_weight, training=True
            )
            # The logs have the loss itself, the gradients are those of the scaled one.
            scaled = model.optimizer.scale_loss(loss)
        return scaled, (bridge.new(), logs)

    def step(sections, batch):
        state, batch = TrainState(*sections), unpack_x_y_sample_weight(batch)
        grads, (new, logs) = jax.grad(loss_fn, has_aux=True)(state.params, state, batch)
        params, opt_state = model.optimizer._mk_pure_step(
            variables.params, state.params, grads, state.opt_state
        )
        return tuple(new._replace(params=params, opt_state=opt_state)), logs

    return step


def test_step(model: TrainableModel, variables: TrainState) -> Step:
    """Make `step(sections, batch) -> (diff, logs)`: loss and metrics, no update."""

    def step(sections, batch):
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*sections)) as bridge:
            y_pred = model.call(x, **model._mk_training_kwargs(False))
            _, logs = model._mk_loss_and_logs(
                x, y, y_pred, sample_weight, training=False
            )
        return diff(sections, bridge.new()), logs

    return step


def predict_step(model: TrainableModel, variables: TrainState) -> Step:
    """Make `step(sections, batch) -> (diff, outputs)`."""

    def step(sections, batch):
        x, _, _ = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*sections)) as bridge:
            outputs = model.call(x, **model._mk_training_kwargs(False))
        return diff(sections, bridge.new()), outputs

    return step


def diff(old: tuple, new: tuple) -> tuple:
    """The sections `new` without the entries that did not change from `old`."""
    # By identity: in a trace, an entry that nobody assigned is the very same tracer.
    return tuple(
        {key: value for key, value in n.items() if value is not o[key]}
        for o, n in zip(old, new, strict=True)
    )


def merge(sections: tuple, diff: tuple) -> tuple:
    """The sections, with the entries of a `diff` instead of their own."""
    return tuple({**old, **new} for old, new in zip(sections, diff, strict=True))


# -- steps that a user wrote, in Keras-on-JAX's form -------------------------------

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
            with Bridge(variables, state):
                results = model.get_metrics_result()
            if isinstance(logs, dict) and set(logs) == set(results):
                logs = results
        state = tuple(state)
        return state if name == "train_step" else diff(sections, state), logs

    return step


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
        with Bridge(variables, state) as bridge:
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
