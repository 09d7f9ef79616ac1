"""The pure forms of a model's pieces, with the signatures of Keras on JAX.

State goes in and comes out as lists of arrays, in the order of the attributes
`trainable_variables`, `non_trainable_variables`, `optimizer.variables` and
`metrics_variables`. Users override the steps, and call the rest from their own.
"""

from collections.abc import Callable
from typing import Any

from minikeras.core.bridge import Bridge, Frame, bound
from minikeras.training import step as steps
from minikeras.training.state import variables_of


class StatelessMethods:
    """Mix-in of Trainer."""

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

        Returns:
            (loss, (trainable, non-trainable, metrics values)).
        """
        own = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.metrics_variables,
        )
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        values = {
            id(v): value
            for variables, arrays in zip(own, given, strict=True)
            for v, value in zip(variables, arrays, strict=True)
        }
        with bound(values):
            loss = self.compute_loss(
                x, y, y_pred, sample_weight=sample_weight, training=training
            )
        return loss, tuple([values[id(v)] for v in variables] for variables in own)

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
        """Forward pass and loss as a pure function; made to be differentiated.

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
        loss, y_pred, kept, metrics = run(lists, x, y, sample_weight, training)
        scaled = loss
        if training and self.optimizer is not None:
            own = self.optimizer.variables
            with bound(
                {id(v): a for v, a in zip(own, optimizer_variables or (), strict=False)}
            ):
                scaled = self.optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, kept, metrics)

    def _mk_loss_of_lists(self, lists, x, y, sample_weight, training):
        variables = variables_of(self)._replace(opt_state={})
        tables = steps.from_lists(variables, lists, "test_step")
        with Bridge(variables, variables._replace(**tables)) as bridge:
            y_pred = self.call(x, **self._mk_training_kwargs(training))
            loss = self._mk_call_compute_loss(x, y, y_pred, sample_weight, training)
        _, kept, metrics = steps.to_lists(variables, bridge.new(), "test_step")
        return loss, y_pred, kept, metrics

    def _mk_loss_by_pieces(self, lists, x, y, sample_weight, training):
        """The same by the user's `stateless_call` and `stateless_compute_loss`."""
        params, others, metrics = lists
        y_pred, others, losses = self.stateless_call(
            params, others, x, return_losses=True, **self._mk_training_kwargs(training)
        )
        # Those of regularizers stand at the end, and are computed once more.
        weights = self.trainable_weights
        added = len(losses) - sum(v.regularizer is not None for v in weights)
        with Frame(losses=list(losses[:added])):
            loss, (_, others, metrics) = self.stateless_compute_loss(
                *(params, others, metrics),
                **{"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight},
                training=training,
            )
        return loss, y_pred, others, metrics

    def train_step(self, state, data):
        """One training step as a pure function, to be overridden.

        Args:
            state: (trainable, non-trainable, optimizer, metrics) lists of arrays.
            data: a batch.

        Returns:
            (logs, new state).
        """
        return self._mk_keras_step(steps.train_step, state, data, "train_step")

    def test_step(self, state, data):
        """One evaluation step; state is (trainable, non-trainable, metrics)."""
        return self._mk_keras_step(steps.test_step, state, data, "test_step")

    def predict_step(self, state, data):
        """One prediction step; state is (trainable, non-trainable).

        Returns:
            (outputs, new non-trainable values).
        """
        out, lists = self._mk_keras_step(
            steps.predict_step, state, data, "predict_step"
        )
        return out, lists[1]

    def _mk_keras_step(self, maker, state, data, name):
        return steps.keras_step(self, variables_of(self), maker, state, data, name)
