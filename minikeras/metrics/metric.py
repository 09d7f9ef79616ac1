"""Metric: Variables that accumulate values of batches, and a result read from them."""

import numpy as np

from minikeras import settings
from minikeras.core import dtypes, naming
from minikeras.core.bridge import Frame, apply, current
from minikeras.core.dtype_policy import get_policy
from minikeras.core.members import Alias, deep_copy
from minikeras.core.object_repr import visible
from minikeras.core.variable import Variable, convert_to_tensor


class Metric:
    """Base class of metrics. Subclasses define `update_state` and `result`.

    Args:
        dtype: dtype or policy of state and result; `floatx()` by default.
        name: name of the metric; by default the class name in snake case, made unique.

    >>> class Count(keras.metrics.Metric):
    ...     def __init__(self):
    ...         super().__init__(name="count")
    ...         self.seen = self.add_weight(name="seen", initializer="zeros")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.seen.assign_add(len(y_true))
    ...     def result(self):
    ...         return self.seen.value
    """

    _dtype = Alias("_mk_dtype")
    _dtype_policy = Alias("_mk_dtype_policy")
    _variables = Alias("_mk_variables")
    __copy__ = deep_copy

    _mk_tracked_kind = "metric"
    # "up" where larger values are better, "down" where smaller are; callbacks with
    # mode="auto" read it.
    _mk_direction: str | None = None

    def __init__(self, dtype=None, name=None):
        self.name = name or naming.auto_name(type(self).__name__)
        self._mk_dtype_policy = get_policy(dtype or settings.floatx())
        self._mk_dtype = self._mk_dtype_policy.compute_dtype
        self._mk_variables: list[Variable] = []

    @property
    def dtype(self):
        """Name of the dtype of variables and result."""
        return self._mk_dtype

    @property
    def variables(self):
        """The state: own Variables, then those of metrics held as attributes."""
        variables, metrics = list(self._mk_variables), []
        for value in self.__dict__.values():
            _collect(value, variables, metrics)
        for metric in metrics:
            variables += metric.variables
        return list(dict.fromkeys(variables))

    def add_variable(
        self, shape, initializer, dtype=None, aggregation="sum", name=None
    ):
        """Create a Variable of the state.

        Args:
            shape: tuple of ints.
            initializer: name, or function `f(shape, dtype)`; None: zeros.
            dtype: name of the dtype; None: `floatx()`, not the metric's dtype, as in
                Keras.
            aggregation: how copies on several devices are combined: "sum", "mean",
                "none" or "only_first_replica".
            name: last part of the Variable's path.

        Returns:
            The `Variable`.
        """
        self._mk_check_super_called()
        with Frame(path=(*current().path, self.name.replace("/", ">"))):
            variable = Variable(
                "zeros" if initializer is None else initializer,
                shape=shape,
                dtype=dtype or settings.floatx(),
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._mk_variables.append(variable)
        return variable

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """Create a Variable of the state, as `add_variable` does.

        Args:
            shape: tuple of ints.
            initializer: name, or function `f(shape, dtype)`; None: zeros.
            dtype: name of the dtype; None: `floatx()`.
            name: last part of the Variable's path.

        Returns:
            The `Variable`.
        """
        return self.add_variable(shape, initializer, dtype=dtype, name=name)

    def _mk_check_super_called(self):
        if "_mk_variables" not in self.__dict__:
            raise RuntimeError(
                f"{type(self).__name__}.__init__ must call `super().__init__()` before "
                "it adds variables."
            )

    def reset_state(self):
        """Set every variable to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, dtypes.as_jax(variable.dtype)))

    def update_state(self, *args, **kwargs):
        """Add the values of a batch to the state.

        Args:
            *args: arrays of the batch; most metrics take `y_true`, `y_pred`.
            **kwargs: further arrays; most metrics take `sample_weight`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `update_state` method: define what a batch "
            "adds to the variables."
        )

    def result(self):
        """Return the metric of all batches since the last reset, a scalar or a dict."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `result` method: define how the metric "
            "follows from the variables."
        )

    def __call__(self, *args, **kwargs):
        """Call `update_state`, then `result`.

        Args:
            *args: arguments of `update_state`.
            **kwargs: keyword arguments of `update_state`.

        Returns:
            The result.
        """
        self._mk_check_super_called()
        self.update_state(*args, **kwargs)
        return self.result()

    def _mk_stateless(self, fn, metric_variables, *args, **kwargs):
        """Call `fn` on values of `variables`; return (its result, new values)."""
        variables = list(self.variables)
        if len(metric_variables) != len(variables):
            raise ValueError(
                f"metric_variables: expected the {len(variables)} values of "
                f"{self.name!r}'s `variables`, in order, got {len(metric_variables)}."
            )
        values = list(map(convert_to_tensor, metric_variables))
        return apply(fn, variables, values, *args, **kwargs)

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """Run `update_state` as a pure function.

        Args:
            metric_variables: list of arrays, the values of `variables`.
            *args: arguments of `update_state`.
            **kwargs: keyword arguments of `update_state`.

        Returns:
            List of the new values.
        """
        _, values = self._mk_stateless(
            self.update_state, metric_variables, *args, **kwargs
        )
        return values

    def stateless_result(self, metric_variables):
        """Run `result` as a pure function.

        Args:
            metric_variables: list of arrays, the values of `variables`.

        Returns:
            The result.
        """
        return self._mk_stateless(self.result, metric_variables)[0]

    def stateless_reset_state(self):
        """Return the values of `variables` after a reset, as a list of arrays."""
        values = [variable.value for variable in self.variables]
        return self._mk_stateless(self.reset_state, values)[1]

    def get_config(self):
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        """Make a metric from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"

    def __dir__(self):
        return visible(self)


def _collect(value, variables, metrics):
    """Append the Variables and metrics in a value, also in lists, tuples and dicts."""
    if isinstance(value, Variable):
        variables.append(value)
    elif isinstance(value, Metric):
        metrics.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, variables, metrics)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, variables, metrics)
