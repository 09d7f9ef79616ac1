"""The state of training as one pytree.

A `TrainState` of Variables and a `TrainState` of arrays have the same keys. The first
says where the arrays of the second come from and go back to.
"""

from typing import Any, NamedTuple

from minikeras.core.variable import unique_paths
from minikeras.training.protocol import TrainableModel


class TrainState(NamedTuple):
    """{path: value} of everything a training step reads and writes.

    Attributes:
        params: what the optimizer updates.
        state: other variables of the model: batch statistics, random counters.
        opt_state: variables of the optimizer.
        metrics: variables of the metrics.
        carried: what layers carry from batch to batch and no file holds: the states
            of stateful recurrent layers.
    """

    params: dict[str, Any]
    state: dict[str, Any]
    opt_state: dict[str, Any]
    metrics: dict[str, Any]
    carried: dict[str, Any]


def variables_of(model: TrainableModel) -> TrainState:
    """The Variables of a model, its optimizer and its metrics, by path."""
    optimizer = getattr(model, "optimizer", None)  # none before `compile`
    found = weights_of(model)._replace(
        opt_state=unique_paths(optimizer.variables if optimizer is not None else []),
        metrics=unique_paths(model.metrics_variables),
    )
    if further := model._mk_step_variables:
        known = {id(v) for section in found for v in section.values()}
        further = [v for v in further if id(v) not in known]
        carried = [*found.carried.values(), *further]
        found = found._replace(carried=unique_paths(carried))
    return found


def weights_of(model: TrainableModel) -> TrainState:
    """The Variables that prediction needs: those of the model alone, by path."""
    trains, subtree = model.trainable, model._mk_subtree_state()
    params, state = {}, {}
    # By path, not by position as in Keras: a list that two sides order differently
    # gives wrong weights, a dict an error.
    for path, v in subtree.paths.items():
        (params if trains and v.trainable else state)[path] = v
    carried = list(subtree.carried)
    if subtree.has_user_code:
        carried.append(model._mk_unseeded_draws.state)
    carried = unique_paths(carried)
    return TrainState(params, state, opt_state={}, metrics={}, carried=carried)


class Start(NamedTuple):
    """Where a training goes on.

    Attributes:
        epoch: number of the epoch.
        batches: how many batches of it have been trained on.
        is_complete: bool, whether a callback had stopped the training.
        logs: of the last epoch.
    """

    epoch: int
    batches: int = 0
    is_complete: bool = False
    logs: Any = {}

    def epochs(self, end: int) -> range:
        """Numbers of the epochs that are left."""
        return range(self.epoch, self.epoch if self.is_complete else end)
