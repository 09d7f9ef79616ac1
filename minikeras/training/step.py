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
        with Bridge(variables, state._replace(params=params), owner=model) as bridge:
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
        with jax.named_scope("optimizer"):  # for profiles
            params, opt_state = model.optimizer._mk_pure_step(
                variables.params, state.params, grads, state.opt_state
            )
        return tuple(new._replace(params=params, opt_state=opt_state)), logs

    return step


def test_step(model: TrainableModel, variables: TrainState) -> Step:
    """Make `step(sections, batch) -> (diff, logs)`: loss and metrics, no update."""

    def step(sections, batch):
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        with Bridge(variables, TrainState(*sections), owner=model) as bridge:
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
        with Bridge(variables, TrainState(*sections), owner=model) as bridge:
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
