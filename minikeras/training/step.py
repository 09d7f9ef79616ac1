"""The steps: pure functions from a state and a batch to a state and logs.

They run the model's bare `call`, as Keras on JAX does: a graph hands `training` to
each of its layers, but of a `call` that a user wrote only those layers train that are
given `training=`.
"""

import jax

from minikeras.core.functional import Bridge
from minikeras.data import unpack_x_y_sample_weight
from minikeras.training.state import TrainState


@jax.tree_util.register_pytree_node_class
class Rows:
    """A batch not yet cut out of arrays on the device: rows `start : start + size`."""

    def __init__(self, arrays, start, size):
        self.arrays, self.start, self.size = arrays, start, size

    def tree_flatten(self):
        return (self.arrays, self.start), self.size

    @classmethod
    def tree_unflatten(cls, size, children):
        arrays, start = children
        return cls(arrays, start, size)

    def cut(self):
        """The batch."""
        return jax.tree_util.tree_map(
            lambda a: jax.lax.dynamic_slice_in_dim(a, self.start, self.size),
            self.arrays,
        )


def open_batch(source):
    """Batch or `Rows` -> (x, y, sample_weight)."""
    return unpack_x_y_sample_weight(
        source.cut() if isinstance(source, Rows) else source
    )


def train_step(model, variables: TrainState):
    """`step(state, source) -> (state, logs)`: gradients, then the optimizer."""

    def loss_fn(params, state, batch):
        x, y, sample_weight = batch
        with Bridge(variables, state._replace(params=params)) as bridge:
            y_pred = model.call(x, **model._mode(True))
            loss, logs = model._measure(x, y, y_pred, sample_weight, training=True)
            scaled = model.optimizer.scale_loss(loss)
        return scaled, (bridge.new(), logs)

    def step(state, source):
        batch = open_batch(source)
        grads, (new, logs) = jax.grad(loss_fn, has_aux=True)(state.params, state, batch)
        params, opt_state = model.optimizer.update(
            variables.params, state.params, grads, state.opt_state
        )
        return new._replace(params=params, opt_state=opt_state), logs

    return step


def test_step(model, variables: TrainState):
    """`step(state, source) -> (state, logs)`: loss and metrics, no update."""

    def step(state, source):
        x, y, sample_weight = open_batch(source)
        with Bridge(variables, state) as bridge:
            y_pred = model.call(x, **model._mode(False))
            _, logs = model._measure(x, y, y_pred, sample_weight, training=False)
        return bridge.new(), logs

    return step


def predict_step(model, variables: TrainState):
    """`step(state, source) -> (state, outputs)`."""

    def step(state, source):
        x, _, _ = open_batch(source)
        with Bridge(variables, state) as bridge:
            outputs = model.call(x, **model._mode(False))
        return bridge.new(), outputs

    return step


# -- steps that a user wrote, in Keras-on-JAX's form -------------------------------

SECTIONS = {
    "train_step": ("params", "state", "opt_state", "metrics"),
    "test_step": ("params", "state", "metrics"),
    "predict_step": ("params", "state"),
}


def custom_step(model, variables: TrainState, name: str):
    """The model's own `train_step(state, data)` … as `step(state, source)`.

    Its state is a tuple of lists of arrays; `SECTIONS` says which. Its logs give way
    to the metrics' results when they have the same keys, as in Keras.
    """

    def step(state, source):
        batch = source.cut() if isinstance(source, Rows) else source
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
        return state, logs

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
    state = TrainState(**empty, **from_lists(variables, lists, name))
    state, logs = maker(model, variables)(state, data)
    return logs, to_lists(variables, state, name)


# -- compiled steps, kept between calls of `fit`, `evaluate`, `predict` --------------

_MAKERS = {
    "train_step": train_step,
    "test_step": test_step,
    "predict_step": predict_step,
}


def plain_step(model, variables: TrainState, name: str):
    """`step(state, source) -> (state, logs)`: the model's own if it overrides one."""
    if model._overrides(name):
        return custom_step(model, variables, name)
    return _MAKERS[name](model, variables)


def program(model, variables: TrainState, name: str):
    """`f(tables, source) -> (tables, logs)`: a step, compiled unless run eagerly.

    `tables` is the state as a plain tuple: a NamedTuple is made by Python code, in
    which a Ctrl-C could fall after the step has run and before it has returned.
    Training donates them, so that each step overwrites its state.
    """
    key = (name, model._compiles(), _identity(variables))
    if key not in model._programs:
        step = plain_step(model, variables, name)

        def run(tables, source):
            state, logs = step(TrainState(*tables), source)
            return tuple(state), logs

        if model._compiles():
            donated = 0 if name == "train_step" else ()
            model._programs[key] = jax.jit(run, donate_argnums=donated)
        else:
            # As in a compiled step, users see a batch of JAX arrays.
            model._programs[key] = lambda t, source: run(t, jax.device_put(source))
    return model._programs[key]


def _identity(variables):
    return tuple(
        tuple((path, id(v)) for path, v in table.items()) for table in variables
    )
