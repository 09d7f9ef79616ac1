"""The steps of a model as pure functions, with the signatures of Keras on JAX.

State is passed in and out as lists of arrays, in the order of the attributes
`trainable_variables`, `non_trainable_variables`, `optimizer.variables` and
`metrics_variables`. Users override the steps, and call the other methods in theirs.
"""

import functools
from collections.abc import Callable
from typing import Any

from minikeras.core.bridge import Bridge, Frame, bound
from minikeras.random.seed_generator import SeedGenerator, new_stream_seed
from minikeras.training import step as steps
from minikeras.training import user_steps
from minikeras.training.state import variables_of


class StatelessMethods:
    """Mix-in of Trainer: pure functions of the variables' values."""

    __call__: Callable[..., Any]

    def stateless_compute_loss(
        self,
        trainable_variables,
        non_trainable_variables,
        metrics_variables,
        x=None,
        y=None,
        y_pred=None,
        sample_weight=None,
        training=True,
    ):
        """`compute_loss` as a pure function of the variables' values.

        Args:
            trainable_variables: list of arrays, the values of
                `model.trainable_variables`.
            non_trainable_variables: list of arrays, likewise.
            metrics_variables: list of arrays, likewise.
            x: inputs of a batch.
            y: targets of the batch.
            y_pred: outputs of the model for the batch.
            sample_weight: weights of the samples, or None.
            training: bool, whether it is the loss of a training step.

        Returns:
            (loss, (trainable, non-trainable, metrics values)).
        """
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        lists = (trainable_variables, non_trainable_variables, metrics_variables)
        values = {
            id(v): value
            for variables, arrays in zip(groups, lists, strict=True)
            for v, value in zip(variables, arrays, strict=True)
        }
        with bound(values):
            loss = self.compute_loss(
                x, y, y_pred, sample_weight=sample_weight, training=training
            )
        return loss, tuple([values[id(v)] for v in variables] for variables in groups)

    def compute_loss_and_updates(
        self,
        trainable_variables,
        non_trainable_variables,
        metrics_variables,
        x,
        y,
        sample_weight,
        training=False,
        optimizer_variables=None,
    ):
        """Forward pass and loss as a pure function, to be differentiated.

        Args:
            trainable_variables: list of arrays, the values of
                `model.trainable_variables`.
            non_trainable_variables: list of arrays, likewise.
            metrics_variables: list of arrays, likewise.
            x: inputs of a batch.
            y: targets of the batch.
            sample_weight: weights of the samples, or None.
            training: bool, whether to run layers in training mode and scale the loss.
            optimizer_variables: list of arrays, which a loss scale is read from.

        Returns:
            (loss to differentiate, (loss, y_pred, non-trainable values, metrics
            values)).
        """
        lists = (trainable_variables, non_trainable_variables, metrics_variables)
        pieces = ("stateless_call", "stateless_compute_loss")
        if any(map(self._mk_overrides, pieces)):
            run = self._mk_loss_by_pieces
        else:
            run = self._mk_loss_of_lists
        loss, y_pred, others, metrics = run(lists, x, y, sample_weight, training)
        scaled = loss
        if training and getattr(self, "optimizer", None) is not None:
            arrays = optimizer_variables or ()
            pairs = zip(self.optimizer.variables, arrays, strict=False)
            with bound({id(v): array for v, array in pairs}):
                scaled = self.optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, others, metrics)

    def _mk_loss_of_lists(self, lists, x, y, sample_weight, training):
        """(loss, y_pred, non-trainable values, metrics values), in one frame."""
        variables = variables_of(self)._replace(opt_state={})
        tables = user_steps.from_lists(variables, lists, "test_step")
        with Bridge(variables, variables._replace(**tables)) as bridge:
            y_pred = self.call(x, **self._mk_training_kwargs(training))
            loss = self._mk_call_compute_loss(x, y, y_pred, sample_weight, training)
        _, others, metrics = user_steps.to_lists(variables, bridge.new(), "test_step")
        return loss, y_pred, others, metrics

    def _mk_loss_by_pieces(self, lists, x, y, sample_weight, training):
        """The same with the user's `stateless_call` and `stateless_compute_loss`."""
        params, others, metrics = lists
        y_pred, others, losses = self.stateless_call(
            params, others, x, return_losses=True, **self._mk_training_kwargs(training)
        )
        # The losses of regularizers are at the end. `stateless_compute_loss` computes
        # them itself.
        weights = self.trainable_weights
        added = len(losses) - sum(v.regularizer is not None for v in weights)
        with Frame(losses=list(losses[:added])):
            loss, (_, others, metrics) = self.stateless_compute_loss(
                params,
                others,
                metrics,
                x=x,
                y=y,
                y_pred=y_pred,
                sample_weight=sample_weight,
                training=training,
            )
        return loss, y_pred, others, metrics

    @functools.cached_property
    def _mk_unseeded_draws(self):
        """The generator of draws without a seed in steps.

        Its state is carried from batch to batch, and no file holds it.
        """
        return SeedGenerator(new_stream_seed(), name=f"{self.name}_unseeded_draws")

    def train_step(self, state, data=None):
        """Run one training step as a pure function; a subclass may override it.

        An override `train_step(self, data)`, as for TensorFlow, takes the batch alone,
        updates Variables in place and returns the logs; so does `super()` from there.

        Args:
            state: (trainable, non-trainable, optimizer, metrics) lists of arrays.
            data: a batch: x, (x, y) or (x, y, sample_weight).

        Returns:
            (logs {name: value}, new state).
        """
        if data is None:
            return user_steps.run_in_place(self, state, training=True)
        return self._mk_keras_step(steps.train_step, state, data, "train_step")

    def test_step(self, state, data=None):
        """Run one evaluation step as a pure function; a subclass may override it.

        An override may take the batch alone, as for `train_step`.

        Args:
            state: (trainable, non-trainable, metrics) lists of arrays.
            data: a batch: x, (x, y) or (x, y, sample_weight).

        Returns:
            (logs {name: value}, new state).
        """
        if data is None:
            return user_steps.run_in_place(self, state, training=False)
        return self._mk_keras_step(steps.test_step, state, data, "test_step")

    def predict_step(self, state, data):
        """Run one prediction step as a pure function; a subclass may override it.

        Args:
            state: (trainable, non-trainable) lists of arrays.
            data: a batch: x, (x, y) or (x, y, sample_weight).

        Returns:
            (outputs, new non-trainable values).
        """
        out, lists = self._mk_keras_step(
            steps.predict_step, state, data, "predict_step"
        )
        return out, lists[1]

    def _mk_keras_step(self, maker, state, data, name):
        return user_steps.keras_step(self, variables_of(self), maker, state, data, name)
