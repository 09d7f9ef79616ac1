"""What the training loop needs of a model and of an optimizer.

The loop, the steps and the lease use these members and no other. So a model of another
kind trains when it has them, and a reader of `training/` need not know `models/`.
"""

from typing import Any, Protocol


class TrainableOptimizer(Protocol):
    """An optimizer as the step sees it."""

    variables: list

    def scale_loss(self, loss: Any) -> Any:
        """The loss that is differentiated."""
        ...

    def _mk_pure_step(
        self, variables: dict, params: dict, grads: dict, state: dict
    ) -> tuple[dict, dict]:
        """(new params, new state) as {path: array}; `variables`: {path: Variable}."""
        ...

    def _mk_check_knows(self, variables: Any) -> None:
        """Raise ValueError unless it was built on all of these weights."""
        ...

    def _mk_for_other_weights(self) -> Any:
        """An optimizer that shares its settings, count of steps and learning rate."""
        ...

    def stateless_apply(self, optimizer_variables: Any, grads: Any, params: Any) -> Any:
        """(new params, new state), as lists of arrays."""
        ...

    def finalize_variable_values(self, var_list: Any) -> None:
        """Put averages in the place of weights, at the end of training."""
        ...


class WatchingCallback(Protocol):
    """A callback that looks at what a runner does."""

    def _mk_watch(self, runner: Any) -> None:
        """Take an `EpochRunner` before its first epoch."""
        ...


class TrainableModel(Protocol):
    """A model as the loop, the steps and the lease see it."""

    name: str
    built: bool
    trainable: bool
    trainable_variables: list
    optimizer: Any  # TrainableOptimizer | None
    history: Any
    metrics_variables: list
    steps_per_execution: int
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    _mk_programs: dict  # compiled programs by what they were compiled for
    _mk_step_variables: list | None  # what its own steps use besides, when known

    @property
    def _mk_unseeded_draws(self) -> Any:
        """The `SeedGenerator` of draws without a seed in steps."""
        ...

    def __call__(self, x: Any, **kwargs: Any) -> Any:
        """The forward pass."""
        ...

    def call(self, x: Any, **kwargs: Any) -> Any:
        """The forward pass, without casts and checks of inputs."""
        ...

    def reset_metrics(self) -> None:
        """Set all metrics back to their first values."""
        ...

    def _mk_flatten_layers(self) -> list:
        """The model and all layers below it."""
        ...

    def _mk_subtree_state(self) -> Any:
        """The `SubtreeState`: all layers and variables below the model."""
        ...

    def _mk_compiles(self) -> bool:
        """Are the steps compiled, or do they run eagerly?"""
        ...

    def _mk_overrides(self, name: str) -> bool:
        """Has the user written the method `name`?"""
        ...

    def _mk_training_kwargs(self, training: bool) -> dict:
        """`{"training": training}` if `call` takes it, else `{}`."""
        ...

    def _mk_loss_and_logs(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> tuple[Any, dict]:
        """(loss, logs of loss and metrics), metrics updated."""
        ...

    def _mk_track_loss(self, loss: Any, x: Any) -> None:
        """Update the metric that averages the loss."""
        ...

    def _mk_has_seen_batch(self) -> bool:
        """Do losses, metrics and the user's own steps know what a batch looks like?"""
        ...

    def _mk_is_prepared(self) -> bool:
        """Are weights, metrics and optimizer slots created?"""
        ...

    def _mk_prepare(self, batch: Any) -> None:
        """Create weights, metrics and slots from the shapes of a batch."""
        ...

    def _mk_build_optimizer(self) -> None:
        """Create the optimizer's slots, if it has none."""
        ...
