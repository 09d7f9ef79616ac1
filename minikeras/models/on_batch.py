"""Steps on one batch: `train_on_batch`, `test_on_batch`, `predict_on_batch`."""

import jax
import numpy as np

from minikeras import settings
from minikeras.data import class_weight_to_sample_weights
from minikeras.data.arrays import refuse_masked
from minikeras.data.text import refuse_text
from minikeras.training import loop
from minikeras.training.compile_metrics import CompileMetrics
from minikeras.training.logs import to_python


class OnBatch:
    """Mix-in of Trainer: one step on one batch."""

    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, return_dict=False
    ):
        """Run one training step.

        Args:
            x: inputs of the batch: array, or list or dict of arrays.
            y: targets of the batch, likewise.
            sample_weight: (batch,) weights of the samples, or None.
            class_weight: dict {class: weight}, instead of `sample_weight`.
            return_dict: bool, whether to return a dict {name: value}.

        Returns:
            The loss, [loss, metrics …], or with `return_dict` {name: value}.

        Raises:
            ValueError: the model is not compiled, or both kinds of weights are given.
        """
        self._mk_assert_compiled("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "train_on_batch: give `sample_weight` or `class_weight`, not both."
                )
            sample_weight = class_weight_to_sample_weights(y, class_weight)
        return self._mk_on_batch("train_step", x, y, sample_weight, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Compute loss and metrics of one batch.

        Args:
            x: inputs of the batch: array, or list or dict of arrays.
            y: targets of the batch, likewise.
            sample_weight: (batch,) weights of the samples, or None.
            return_dict: bool, whether to return a dict {name: value}.

        Returns:
            The loss, [loss, metrics …], or with `return_dict` {name: value}.

        Raises:
            ValueError: the model is not compiled.
        """
        self._mk_assert_compiled("test_on_batch")
        return self._mk_on_batch("test_step", x, y, sample_weight, return_dict)

    def _mk_on_batch(self, name, x, y, sample_weight, return_dict):
        batch = self._mk_batch(x, y, sample_weight)
        logs = to_python(loop.one_step(self, name, batch))
        return logs if return_dict else self._mk_as_list(logs)

    def predict_on_batch(self, x):
        """Return the outputs for one batch, as numpy arrays.

        Args:
            x: inputs of the batch: array, or list or dict of arrays.
        """
        (x, *_) = self._mk_batch(x, None, None)
        outputs = loop.one_step(self, "predict_step", (x,))
        return jax.tree_util.tree_map(np.array, outputs)  # which can be changed

    def _mk_batch(self, *parts):
        batch, takes_text = _batch(*parts), self._mk_subtree_state().on_host
        return batch if takes_text else refuse_text(batch, "the batch")

    def _mk_as_list(self, logs):
        """The values of logs in the order of `metrics`, then the rest by name."""
        names = []
        for metric in self.metrics:
            if isinstance(metric, CompileMetrics):
                names += [m.name for m in metric.metrics]
            else:
                names.append(metric.name)
        values = [logs[name] for name in names if name in logs]
        values += [logs[name] for name in sorted(logs) if name not in names]
        return values[0] if len(values) == 1 else values


def _batch(x, y, sample_weight):
    """Convert array-likes to numpy arrays, float64 to floatx, as `fit` does."""

    def convert(a):
        if isinstance(a, jax.Array) or a is None:
            return a
        refuse_masked(a, "batch")
        a = np.asarray(a)
        return a.astype(settings.floatx()) if a.dtype == np.float64 else a

    return tuple(
        jax.tree_util.tree_map(
            convert,
            tree,
            is_leaf=lambda n: isinstance(n, list) and not _holds_arrays(n),
        )
        for tree in (x, y, sample_weight)
    )


def _holds_arrays(items):
    return any(hasattr(leaf, "shape") for leaf in jax.tree_util.tree_leaves(items))
