"""The steps: pure functions from a state and a batch to a state and logs.

The state comes and goes as `sections`, a `TrainState` that is a plain tuple: see
`Program`. Training returns all of it, because its buffers are donated. Other steps
return only what they changed, because XLA copies an input that it returns unchanged.

The steps run the model's bare `call`, as Keras on JAX does. A graph passes `training`
to each of its layers. In a `call` that a user wrote, only those layers train that get
`training=`.
"""

import jax

from minikeras.core.bridge import Bridge
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.state import TrainState


def train_step(model, variables: TrainState):
    """`step(sections, batch) -> (sections, logs)`: gradients, then the optimizer."""

    def loss_fn(params, state, batch):
        x, y, sample_weight = batch
        with Bridge(variables, state._replace(params=params)) as bridge:
            y_pred = model.call(x, **model._mk_training_kwargs(True))
            loss, logs = model._mk_loss_and_logs(
                x, y, y_pred, sample_weight, training=True
            )
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


def test_step(model, variables: TrainState):
    """`step(sections, batch) -> (diff, logs)`: loss and metrics, no update."""

    def step(sections, batch):
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*sections)) as bridge:
            y_pred = model.call(x, **model._mk_training_kwargs(False))
            _, logs = model._mk_loss_and_logs(
                x, y, y_pred, sample_weight, training=False
            )
        return diff(sections, bridge.new()), logs

    return step


def predict_step(model, variables: TrainState):
    """`step(sections, batch) -> (diff, outputs)`."""

    def step(sections, batch):
        x, _, _ = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*sections)) as bridge:
            outputs = model.call(x, **model._mk_training_kwargs(False))
        return diff(sections, bridge.new()), outputs

    return step


def diff(old, new):
    """The sections `new` without the entries that `old` has too."""
    return tuple(
        {key: value for key, value in n.items() if value is not o[key]}
        for o, n in zip(old, new, strict=True)
    )


def merge(sections, diff):
    """The sections with the entries of a `diff` in the place of theirs."""
    return tuple({**old, **new} for old, new in zip(sections, diff, strict=True))


# -- steps that a user wrote, in Keras-on-JAX's form -------------------------------

SECTIONS = {
    "train_step": ("params", "state", "opt_state", "metrics"),
    "test_step": ("params", "state", "metrics"),
    "predict_step": ("params", "state"),
}


def custom_step(model, variables: TrainState, name: str):
    """The model's own `train_step(state, data)` … as `step(sections, batch)`.

    Its state is a tuple of lists of arrays; `SECTIONS` says which. Its logs give way
    to the metrics' results when they have the same keys, as in Keras.
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


# Pieces of the steps in Keras-on-JAX's form: where a user has written one, the step is
# put together of them.
_LOSS = ("compute_loss_and_updates", "stateless_compute_loss", "stateless_call")
PIECES = {"train_step": _LOSS, "test_step": _LOSS, "predict_step": _LOSS[-1:]}


def step_of_pieces(model, variables: TrainState, name: str):
    """`step(sections, batch)` that calls the pieces that a user may have written."""

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


def to_lists(variables: TrainState, values: TrainState, name: str):
    """State -> the tuple of lists that Keras's `name` takes."""
    return tuple(
        [getattr(values, s)[key] for key in getattr(variables, s)]
        for s in SECTIONS[name]
    )


def from_lists(variables: TrainState, lists, name: str):
    """The reverse of `to_lists`, as {section: {path: array}}."""
    return {
        s: dict(zip(getattr(variables, s), values, strict=True))
        for s, values in zip(SECTIONS[name], lists, strict=True)
    }


def keras_step(model, variables: TrainState, maker, lists, data, name):
    """Run one of our steps with Keras's signature: (logs, lists)."""
    empty = {
        section: {} for section in TrainState._fields if section not in SECTIONS[name]
    }
    variables = variables._replace(**empty)
    sections = tuple(TrainState(**empty, **from_lists(variables, lists, name)))
    new, logs = maker(model, variables)(sections, data)
    state = TrainState(*merge(sections, new))
    return logs, to_lists(variables, state, name)
