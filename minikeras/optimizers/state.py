"""The state of an optimizer: its Variables, their order, and its learning rate."""

import warnings
from typing import Any

import jax
import numpy as np

from minikeras.core.bridge import Frame
from minikeras.core.members import all_or_nothing
from minikeras.core.variable import Variable, convert_to_tensor, unique_paths
from minikeras.optimizers.schedules.schedule import LearningRateSchedule


def initial_value_of(variable):
    """An initializer that returns the value of a weight."""
    return lambda *_, **__: variable.value


class OptimizerState:
    """The Variables and the learning rate of an optimizer; base of `Optimizer`."""

    _mk_learning_rate: Any

    def __setattr__(self, name, value):
        if isinstance(value, Variable) and not any(
            value is v for v in self._mk_variables
        ):
            self._mk_variables.append(value)
        super().__setattr__(name, value)

    @property
    def variables(self):
        """The Variables of the state, in Keras's order: that of files."""
        return list(self._mk_variables)

    def _mk_add_scalar(self, name, value, dtype):
        """Create a scalar Variable; `self.x = variable` adds it to the state."""
        with Frame(path=(self.name,)):
            return Variable(
                value,
                dtype=dtype,
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )

    def add_variable(
        self,
        shape,
        initializer="zeros",
        dtype=None,
        aggregation="none",
        layout=None,
        name=None,
    ):
        """Create a Variable of the state, with the path `<optimizer>/<name>`.

        Args:
            shape: tuple of ints.
            initializer: name, or function `f(shape, dtype)`.
            dtype: name of the dtype; None: `floatx()`.
            aggregation: how copies on several devices are combined: "none", "mean",
                "sum" or "only_first_replica".
            layout: how it is laid out over devices; None: as its default is.
            name: last part of the path.

        Returns:
            The `Variable`.
        """
        with Frame(path=(self.name,)):
            variable = Variable(
                initializer,
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                layout=layout,
                name=name,
            )
        self._mk_variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable, name=None, initializer="zeros"
    ):
        """Create a Variable of the state with the shape and dtype of a weight.

        Its path is `<optimizer>/<path of the weight>_<name>`, where each "/" in the
        path of the weight is replaced by "_".

        Args:
            reference_variable: the weight, a `Variable`.
            name: end of the path; None: "var".
            initializer: name, or function `f(shape, dtype)`.

        Returns:
            The `Variable`.
        """
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            dtype=reference_variable.dtype,
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """Create Variables of the state for each weight.

        Args:
            trainable_variables: list of weights (`Variable`s).
            name: end of the Variables' paths, or a list of them.
            initializer: name or function `f(shape, dtype)`, or a list of them as long
                as `name`.

        Returns:
            List of Variables, one for each weight, for a list of names a tuple of such
            lists. Weights that their gradient replaces have None.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = initializer
        if not isinstance(initializer, (list, tuple)):
            starts = [initializer] * len(names)
        rows = [
            [None] * len(names)
            if v.overwrite_with_gradient
            else [
                self.add_variable_from_reference(v, n, start)
                for n, start in zip(names, starts, strict=True)
            ]
            for v in trainable_variables
        ]
        columns = [[row[i] for row in rows] for i in range(len(names))]
        return columns[0] if isinstance(name, str) else tuple(columns)

    @all_or_nothing
    def build(self, variables):
        """Create the state for the weights to train.

        Args:
            variables: list of weights (`Variable`s).
        """
        if self.built:
            return
        variables = list(variables)
        if self.use_ema:
            # The averages start at the values of the weights: without a step in
            # between, `finalize_variable_values` would write zeros to the weights.
            self._mk_model_variables_moving_average = [
                None
                if v.overwrite_with_gradient
                else self.add_variable_from_reference(v, "average", initial_value_of(v))
                for v in variables
            ]
        if self.gradient_accumulation_steps:
            self._mk_accumulated_gradients = [
                self.add_variable_from_reference(v, "gradient_accumulator")
                for v in variables
            ]
        self._mk_trainable_variables = variables
        self._mk_build_slots(variables)
        self.built = True

    def _mk_for_other_weights(self):
        """An optimizer that shares its settings, count of steps and learning rate."""
        own = type(self).from_config(self.get_config())
        for name in ("_mk_iterations", "_mk_learning_rate"):
            new, shared = getattr(own, name), getattr(self, name)
            variables = [shared if v is new else v for v in vars(own)["_mk_variables"]]
            own.__dict__.update({"_mk_variables": variables, name: shared})
        return own

    def _mk_build_slots(self, variables):
        """Create the slots: {name: list of Variables, one for each weight}."""
        for group in self._mk_slot_groups():
            names = [name for name, _ in group]
            starts = [start for _, start in group]
            columns = self.add_optimizer_variables(variables, names, starts)
            self._mk_slots.update(zip(names, columns, strict=True))

    def _mk_slot_groups(self) -> list[list[tuple]]:
        """Lists of (slot, initializer); all of a list are created for one weight first.

        The order of creation is Keras's: it decides the order of files.
        """
        return []

    def _mk_paths(self):
        """{id of a Variable of the state: its unique path}."""
        return {id(v): path for path, v in unique_paths(self.variables).items()}

    def _mk_state(self):
        """{unique path: value} of the state."""
        return {path: v.value for path, v in unique_paths(self.variables).items()}

    def _mk_assign(self, state):
        """Assign {unique path: value} to the Variables that have changed."""
        for path, variable in unique_paths(self.variables).items():
            if state[path] is not variable.value:
                variable.assign(state[path])

    def _mk_update_inner(self, inner, variables, params, grads, state):
        """The step of an inner optimizer, whose Variables are part of this state."""
        paths = self._mk_paths()
        # {path in the inner optimizer: path here}: a path is made unique by a number,
        # which depends on the other Variables.
        names = {own: paths[id(v)] for own, v in unique_paths(inner.variables).items()}
        params, new = inner._mk_pure_step(
            variables, params, grads, {own: state[name] for own, name in names.items()}
        )
        return params, state | {names[own]: value for own, value in new.items()}

    def _mk_get_variable_index(self, variable):
        """Index of a weight in `build`'s list; `update_step` of users calls it."""
        for i, known in enumerate(self._mk_trainable_variables):
            if known is variable:
                return i
        raise KeyError(f"{self.name!r} was not built on {variable.path!r}.")

    def _mk_slot_paths(self, slot, variables, paths):
        """The paths of the Variables of a slot.

        Args:
            slot: list of Variables or None, one for each weight; or one Variable.
            variables: {key: weight}.
            paths: {id of a Variable: path}.

        Returns:
            {key of a weight: path}, without weights that have None; of one Variable
            its path.
        """
        if isinstance(slot, Variable):
            return paths[id(slot)]
        position = {id(v): i for i, v in enumerate(self._mk_trainable_variables)}
        own = {key: slot[position[id(v)]] for key, v in variables.items()}
        return {key: paths[id(v)] for key, v in own.items() if v is not None}

    def _mk_set_learning_rate(self, value):
        """Keep a schedule or function; of a number, make a Variable."""
        if callable(value) and not isinstance(value, (Variable, jax.Array)):
            self._mk_learning_rate = value
            return
        self._mk_learning_rate = self._mk_add_scalar(
            "learning_rate", self._mk_to_float(value), None
        )

    def _mk_to_float(self, rate):
        """The learning rate as a float; ValueError if it is no number."""
        try:
            if isinstance(rate, (str, bytes, bool)):
                raise TypeError
            return float(rate)
        except (TypeError, ValueError):
            raise ValueError(
                f"{type(self).__name__}: learning_rate must be a number, a "
                f"LearningRateSchedule or a function of no arguments, got {rate!r}."
            ) from None

    @property
    def learning_rate(self):
        """The learning rate: a Variable; of a schedule or function the current value.

        Assign a number, or a schedule or function, to change it.
        """
        rate = self._mk_learning_rate
        if isinstance(rate, Variable):
            return rate
        return self._mk_rate(self._mk_iterations.value)

    @learning_rate.setter
    def learning_rate(self, value):
        """Set the rate: a number, a schedule or a function of no arguments."""
        is_number = not callable(value) or isinstance(value, (Variable, jax.Array))
        if isinstance(self._mk_learning_rate, Variable) and is_number:
            self._mk_learning_rate.assign(self._mk_to_float(value))
            return
        if is_number:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` or function, "
                f"{type(self._mk_learning_rate).__name__}, so the learning rate of "
                f"{self.name!r} cannot be set to {value!r}. Make it with a float "
                "learning_rate to set that later."
            )
        self.__dict__["_mk_variables"] = [
            v for v in self._mk_variables if v is not self._mk_learning_rate
        ]
        self._mk_learning_rate = value

    def _mk_rate(self, step_count, variable_value=None):
        """The learning rate at a step, as an array.

        Args:
            step_count: number of steps so far.
            variable_value: value of the learning rate's Variable in a pure step; None:
                the one it has.
        """
        rate = self._mk_learning_rate
        if isinstance(rate, Variable):
            rate = rate.value if variable_value is None else variable_value
        elif isinstance(rate, LearningRateSchedule):
            rate = rate(step_count)
        else:
            rate = rate()
        rate = convert_to_tensor(rate)
        if self._mk_decay:
            rate = rate / (1.0 + self._mk_decay * step_count)
        return rate

    def assign(self, variable, value):
        """Set a Variable.

        Args:
            variable: `Variable` of the state, or weight.
            value: array of its shape.
        """
        variable.assign(value)

    def assign_add(self, variable, value):
        """Add to a Variable.

        Args:
            variable: `Variable` of the state, or weight.
            value: array of its shape.
        """
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """Subtract from a Variable.

        Args:
            variable: `Variable` of the state, or weight.
            value: array of its shape.
        """
        variable.assign_sub(value)

    def set_weights(self, weights):
        """Assign arrays to `variables`.

        Args:
            weights: list of arrays, in the order of `variables`.

        Raises:
            ValueError: the optimizer is not built, or has another number of variables.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights` of an optimizer without weights: call "
                "`optimizer.build(trainable_variables)` first."
            )
        weights = list(weights)
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{self.name!r} has {len(self.variables)} variables, got "
                f"{len(weights)} weights."
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store):
        """Write `variables` to a store, under the keys "0", "1", …

        Args:
            store: dict, or another mapping from keys to arrays.
        """
        for i, variable in enumerate(self.variables):
            store[str(i)] = np.asarray(variable.value)

    def load_own_variables(self, store):
        """Read `variables` from a store; warn if it has others.

        Args:
            store: mapping that `save_own_variables` has written.
        """
        shape_of = getattr(store, "shape", lambda key: np.shape(store[key]))
        stored = [tuple(shape_of(key)) for key in map(str, range(len(store.keys())))]
        # Files of tf-keras lack the rate; before the first step there are no slots.
        rated = [v for v in self.variables if v is not self._mk_learning_rate]
        kinds = (self.variables, rated, self.variables[:2])
        fitting = [x for x in kinds if [v.shape for v in x] == stored]
        if not fitting:
            own = [v.shape for v in self.variables]
            warnings.warn(
                f"The state of optimizer {self.name!r} was not loaded: it has "
                f"{len(own)} variables, the file {len(stored)}: {own}, {stored}.",
                stacklevel=2,
            )
            return
        read = getattr(store, "array", lambda key, dtype: store[key])
        for i, variable in enumerate(fitting[0]):
            variable.assign(read(str(i), variable.dtype))
