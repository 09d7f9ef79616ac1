"""The steps: pure functions from a state and a batch to a state and logs.

The state comes and goes as `tables`, a TrainState that is a plain tuple: see `Program`.
Training returns all of it, since its arrays are donated; other steps only what they
changed, since XLA copies whatever comes out as it went in.

They run the model's bare `call`, as Keras on JAX does: a graph hands `training` to
each of its layers, but of a `call` that a user wrote only those layers train that are
given `training=`.
"""

import jax

from minikeras.core.bridge import Bridge
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.state import TrainState


def train_step(model, variables: TrainState):
    """`step(tables, batch) -> (tables, logs)`: gradients, then the optimizer."""

    def loss_fn(params, state, batch):
        x, y, sample_weight = batch
        with Bridge(variables, state._replace(params=params)) as bridge:
            y_pred = model.call(x, **model._mk_mode(True))
            loss, logs = model._mk_measure(x, y, y_pred, sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        return scaled, (bridge.new(), logs)

    def step(tables, batch):
        state, batch = TrainState(*tables), unpack_x_y_sample_weight(batch)
        grads, (new, logs) = jax.grad(loss_fn, has_aux=True)(state.params, state, batch)
        params, opt_state = model.optimizer._mk_pure_step(
            variables.params, state.params, grads, state.opt_state
        )
        return tuple(new._replace(params=params, opt_state=opt_state)), logs

    return step


def test_step(model, variables: TrainState):
    """`step(tables, batch) -> (changes, logs)`: loss and metrics, no update."""

    def step(tables, batch):
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*tables)) as bridge:
            y_pred = model.call(x, **model._mk_mode(False))
            _, logs = model._mk_measure(x, y, y_pred, sample_weight, training=False)
        return changes(tables, bridge.new()), logs

    return step


def predict_step(model, variables: TrainState):
    """`step(tables, batch) -> (changes, outputs)`."""

    def step(tables, batch):
        x, _, _ = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*tables)) as bridge:
            outputs = model.call(x, **model._mk_mode(False))
        return changes(tables, bridge.new()), outputs

    return step


def changes(old, new):
    """The entries of the tables `new` that are not those of `old`."""
    return tuple(
        {key: value for key, value in n.items() if value is not o[key]}
        for o, n in zip(old, new, strict=True)
    )


def updated(tables, changes):
    """The tables after some changes."""
    return tuple({**t, **c} for t, c in zip(tables, changes, strict=True))


# -- steps that a user wrote, in Keras-on-JAX's form -------------------------------

SECTIONS = {
    "train_step": ("params", "state", "opt_state", "metrics"),
    "test_step": ("params", "state", "metrics"),
    "predict_step": ("params", "state"),
}


def custom_step(model, variables: TrainState, name: str):
    """The model's own `train_step(state, data)` … as `step(tables, batch)`.

    Its state is a tuple of lists of arrays; `SECTIONS` says which. Its logs give way
    to the metrics' results when they have the same keys, as in Keras.
    """

    def step(tables, batch):
        state = TrainState(*tables)
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
        return state if name == "train_step" else changes(tables, state), logs

    return step


# Pieces of the steps in Keras-on-JAX's form: where a user has written one, the step is
# put together of them.
_LOSS = ("compute_loss_and_updates", "stateless_compute_loss", "stateless_call")
PIECES = {"train_step": _LOSS, "test_step": _LOSS, "predict_step": _LOSS[-1:]}


def step_of_pieces(model, variables: TrainState, name: str):
    """`step(tables, batch)` that calls the pieces that a user may have written."""

    def train(lists, x, y, weight):
        params, others, slots, metrics = lists
        grads, (loss, y_pred, others, metrics) = jax.grad(
            model.compute_loss_and_updates, has_aux=True
        )(
            *(params, others, metrics, x, y, weight),
            training=True,
            optimizer_variables=slots,
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

    def step(tables, batch):
        x, y, weight = unpack_x_y_sample_weight(batch)
        state = TrainState(*tables)
        lists = to_lists(variables, state, name)
        if name == "predict_step":
            outputs, others = model.stateless_call(*lists, x, **model._mk_mode(False))
            state = state._replace(**from_lists(variables, (lists[0], others), name))
            return changes(tables, state), outputs
        lists, loss, y_pred = run(lists, x, y, weight)
        state = state._replace(**from_lists(variables, lists, name))
        with Bridge(variables, state) as bridge:
            model._mk_track_loss(loss, x)
            logs = model.compute_metrics(x, y, y_pred, sample_weight=weight)
        new = tuple(bridge.new())
        return (new if name == "train_step" else changes(tables, new)), logs

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
    tables = tuple(TrainState(**empty, **from_lists(variables, lists, name)))
    new, logs = maker(model, variables)(tables, data)
    state = TrainState(*updated(tables, new))
    return logs, to_lists(variables, state, name)
