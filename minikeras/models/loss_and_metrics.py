"""LossAndMetrics: what a model computes of a batch, and what it builds for that."""

import warnings

import jax
import jax.numpy as jnp

from minikeras.data import unpack_x_y_sample_weight
from minikeras.layers.call_signature import CallSignature, signature_of
from minikeras.training import loop, user_steps


class LossAndMetrics:
    """Mix-in of Trainer: loss and metrics of a batch, and their weights and slots."""

    @property
    def metrics(self):
        """List of the loss tracker, the compiled metrics, and the metrics of layers."""
        found = []
        if self._mk_loss_tracker is not None:
            found.append(self._mk_loss_tracker)
        if self._mk_compile_metrics is not None:
            found.append(self._mk_compile_metrics)
        if self._mk_compile_loss is not None:
            found.extend(self._mk_compile_loss.metrics)
        found += self._mk_own_metrics()
        for layer in self._mk_flatten_layers(include_self=False):
            # The metrics of another model are its own.
            if not isinstance(layer, LossAndMetrics):
                found += layer._mk_own_metrics()
        return found

    @property
    def metrics_names(self):
        """List of the names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self):
        """Reset the state of every metric."""
        for metric in self.metrics:
            metric.reset_state()

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Return the total loss of a batch: compiled losses plus `self.losses`.

        Args:
            x, y, y_pred, sample_weight: inputs, targets, outputs, weights of the
                samples.
            training: bool, whether it is the loss of a training step.
        """
        del x
        parts = []
        if self._mk_compile_loss is not None:
            loss = self._mk_compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts += [jnp.sum(jnp.asarray(part)) for part in self.losses]
        if training and not parts and self._mk_compile_loss is None:
            warnings.warn(
                "There is no loss, so that nothing is learned: pass `loss=` to "
                "`compile()`, or call `add_loss()` in a layer.",
                stacklevel=2,
            )
        return sum(parts[1:], parts[0]) if parts else jnp.zeros(())

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Update the metrics with a batch; return {name: result}.

        Args:
            x, y, y_pred, sample_weight: inputs, targets, outputs, weights of the
                samples.
        """
        del x
        if self._mk_compile_metrics is not None:
            self._mk_compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self):
        """Return {name: value} of all metrics."""
        results = {}
        for metric in self.metrics:
            value = metric.result()
            if isinstance(value, dict):
                results |= value
            else:
                results[metric.name] = value
        return results

    def _mk_tracked_loss(self, x, y, y_pred, sample_weight, training):
        """Compute the loss and add it to the loss tracker."""
        loss = self._mk_call_compute_loss(x, y, y_pred, sample_weight, training)
        self._mk_track_loss(loss, x)
        return loss

    def _mk_track_loss(self, loss, x):
        if self._mk_loss_tracker is not None:
            # Weighted by the batch size: the last batch of an epoch may be smaller.
            batch_size = next((a.shape[0] for a in jax.tree_util.tree_leaves(x)), 1)
            self._mk_loss_tracker.update_state(
                jax.lax.stop_gradient(loss), sample_weight=batch_size
            )

    def _mk_call_compute_loss(self, x, y, y_pred, sample_weight, training):
        """Call `compute_loss`, also an override that has no argument `training`."""
        kwargs = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if self._mk_overrides("compute_loss"):
            signature = CallSignature(self.compute_loss)
            if not (signature.has_training or signature.variadic):
                return self.compute_loss(**kwargs)
        return self.compute_loss(**kwargs, training=training)

    def _mk_training_kwargs(self, training):
        """`training=` for the bare `call`, if it takes one."""
        if signature_of(self).has_training:
            return {"training": training}
        if training and any(
            _depends_on_mode(x) for x in self._mk_flatten_layers(False)
        ):
            warnings.warn(
                f"{type(self).__name__}.call() takes no `training` argument, so its "
                "dropout, noise and batch normalization run in inference mode during "
                "fit(). Write `def call(self, inputs, training=None)` and pass it on.",
                stacklevel=2,
            )
        return {}

    def _mk_loss_and_logs(self, x, y, y_pred, sample_weight, training):
        """Loss, and logs of loss and metrics; inside the bridge."""
        with jax.named_scope("loss"):  # the names are for profiles
            loss = self._mk_tracked_loss(x, y, y_pred, sample_weight, training)
        if training:  # masks get lost on the way, as in Keras: tests have them
            y_pred = jax.lax.stop_gradient(y_pred)
        with jax.named_scope("metrics"):
            return loss, self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _mk_has_seen_batch(self):
        """Have losses, metrics and the user's own steps seen outputs and targets?"""
        parts = (self._mk_compile_loss, self._mk_compile_metrics)
        return all(part is None or part.built for part in parts) and (
            self._mk_step_variables is not None or not self._mk_in_place_steps()
        )

    def _mk_in_place_steps(self):
        """Names of the steps that the user has written in TensorFlow's form."""
        names = filter(self._mk_overrides, ("train_step", "test_step"))
        return [name for name in names if user_steps.takes_data_alone(self, name)]

    def _mk_is_prepared(self):
        slots = getattr(getattr(self, "optimizer", None), "built", True)
        return self.built and slots and self._mk_has_seen_batch()

    def _mk_build_optimizer(self):
        if not getattr(getattr(self, "optimizer", None), "built", True):
            self.optimizer.build(self.trainable_variables)

    def _mk_prepare(self, batch):
        """Build model, losses, metrics and optimizer from the shapes of a batch."""
        own_step = self._mk_overrides("train_step") or self._mk_overrides("test_step")

        def run(x, y, sample_weight):
            """Call the model, then what else the first step would build."""
            try:
                y_pred = self(x, training=False)  # pyright: ignore
            except NotImplementedError:
                if not own_step:
                    raise
                return 0  # no `call`: the user's own step knows how to run it
            if own_step:
                self._mk_build_parts(y, y_pred)
            elif self.compiled:
                self._mk_loss_and_logs(x, y, y_pred, sample_weight, False)
            return 0

        loop.dry_run(run, *unpack_x_y_sample_weight(batch))
        names = self._mk_in_place_steps()
        find = user_steps.in_place_variables
        self._mk_step_variables = find(self, names, batch) if names else []
        self._mk_build_optimizer()

    def _mk_build_parts(self, y, y_pred):
        for part in (self._mk_compile_loss, self._mk_compile_metrics):
            if part is not None and not part.built and y is not None:
                part.build(y, y_pred)

    def _mk_symbolic_build(self, data_batch):
        """Build from one batch; other libraries call this by its name in Keras."""
        loop.prepare_batch(self, data_batch)


def _depends_on_mode(layer):
    """Does the layer draw random numbers, or keep statistics, in training?"""
    keeps = any(not v._initially_trainable for v in layer._mk_own_variables())
    draws = bool(layer._mk_seed_generators)
    return (draws or keeps) and signature_of(layer).has_training
