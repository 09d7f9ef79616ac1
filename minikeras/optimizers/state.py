"""What an optimizer remembers: its Variables, their names and their order."""

import warnings

from minikeras.core.bridge import Frame
from minikeras.core.members import whole
from minikeras.core.variable import Variable, unique_paths


def starting_at(variable):
    """Initializer: the value of a weight."""
    return lambda *_, **__: variable.value


class OptimizerState:
    """The Variables of an optimizer; base of `Optimizer`."""

    def __setattr__(self, name, value):
        if isinstance(value, Variable) and not any(
            value is v for v in self._mk_variables
        ):
            self._mk_variables.append(value)
        super().__setattr__(name, value)

    @property
    def variables(self):
        """Everything that a file of the optimizer's state holds, in Keras's order."""
        return list(self._mk_variables)

    def _mk_counter(self, name, value, dtype):
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
        """A new state Variable at `<optimizer>/<name>`."""
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
        """A new state Variable of the shape and dtype of a weight.

        Its path is `<optimizer>/<path of the weight, "_" for "/">_<name>`.
        """
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape,
            initializer,
            dtype=reference_variable.dtype,
            name=f"{path}_{name or 'var'}",
        )

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """State Variables of each weight; None for weights that gradients replace.

        Args:
            trainable_variables: the weights.
            name: last part of the name; or a list of them.
            initializer: one, or a list like `name`.

        Returns:
            a list like `trainable_variables`; for a list of names a tuple of lists.
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

    @whole
    def build(self, variables):
        """Create the state for these weights."""
        if self.built:
            return
        variables = list(variables)
        if self.use_ema:
            # From the weights' values: an average that no step has moved yet must
            # not put zeros in their place.
            self._mk_model_variables_moving_average = [
                None
                if v.overwrite_with_gradient
                else self.add_variable_from_reference(v, "average", starting_at(v))
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

    def _mk_build_slots(self, variables):
        for group in self._mk_slot_groups():
            names = [name for name, _ in group]
            starts = [start for _, start in group]
            columns = self.add_optimizer_variables(variables, names, starts)
            self._mk_slots.update(zip(names, columns, strict=True))

    def _mk_slot_groups(self) -> list[list[tuple]]:
        """Groups of (slot, initializer): Variables of a group are made per weight."""
        return []

    def _mk_paths(self):
        """{id of a Variable: its unique path}."""
        return {id(v): path for path, v in unique_paths(self.variables).items()}

    def _mk_state(self):
        """{unique path: value}."""
        return {path: v.value for path, v in unique_paths(self.variables).items()}

    def _mk_assign(self, state):
        for path, variable in unique_paths(self.variables).items():
            if state[path] is not variable.value:
                variable.assign(state[path])

    def _mk_update_inner(self, inner, variables, params, grads, state):
        """A step of an optimizer whose Variables are among this one's."""
        paths = self._mk_paths()
        # The same Variables under the paths that the inner optimizer knows them by.
        names = {own: paths[id(v)] for own, v in unique_paths(inner.variables).items()}
        params, new = inner._mk_pure_step(
            variables, params, grads, {own: state[name] for own, name in names.items()}
        )
        return params, state | {names[own]: value for own, value in new.items()}

    def _mk_get_variable_index(self, variable):
        """Position of a weight among those of `build`; users' rules call it."""
        for i, known in enumerate(self._mk_trainable_variables):
            if known is variable:
                return i
        raise KeyError(f"{self.name!r} was not built on {variable.path!r}.")

    def _mk_where(self, slot, variables, paths):
        """{key of a weight: path of its Variable in a slot}, where it has one.

        For a slot that is one Variable for all weights, its path.
        """
        if isinstance(slot, Variable):
            return paths[id(slot)]
        position = {id(v): i for i, v in enumerate(self._mk_trainable_variables)}
        found = {key: slot[position[id(v)]] for key, v in variables.items()}
        return {key: paths[id(v)] for key, v in found.items() if v is not None}

    def set_weights(self, weights):
        """Assign arrays to `variables`, in order."""
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
        """Write `variables` to a dict-like store, as "0", "1", …"""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store):
        """Read what `save_own_variables` wrote; other numbers of them are skipped."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"The state of optimizer {self.name!r} was not loaded: it has "
                f"{len(self.variables)} variables, the file {len(store.keys())}.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])
