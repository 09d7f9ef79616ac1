"""Optimizer: the base class, its learning rate, and updates of Variables."""

import inspect
import re
import warnings

from minikeras.core import naming
from minikeras.core.bridge import apply
from minikeras.core.checks import hyperparameter
from minikeras.core.members import Alias, all_or_nothing, deep_copy, overrides
from minikeras.core.object_repr import describe, visible
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import Variable, convert_to_tensor, unique_paths
from minikeras.optimizers.docstrings import with_common_arguments
from minikeras.optimizers.step import OptimizerStep

_KERAS_2 = {"lr", "decay", "jit_compile", "is_legacy_optimizer"}


class Optimizer(OptimizerStep):
    """Base class of optimizers. Subclasses override `build` and `update_step`.

    `build(variables)` creates the state, `update_step(gradient, variable,
    learning_rate)` updates one weight. Around it, an optimizer clips gradients, decays
    weights, averages them and accumulates gradients.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        weight_decay: >= 0; each step first subtracts weight_decay learning_rate p from
            p. None: no decay.
        clipnorm: > 0; a gradient with a larger L2 norm is scaled down to it.
        clipvalue: > 0; entries of gradients are clipped to [-clipvalue, clipvalue].
        global_clipnorm: > 0; if the L2 norm of all gradients together is larger, they
            are scaled down to it.
        use_ema: bool, whether to keep an exponential moving average (EMA) of the
            weights, which replaces them at the end of training.
        ema_momentum: m in [0, 1]; the average becomes m average + (1 - m) weights.
        ema_overwrite_frequency: number of steps after which the average also replaces
            the weights; None: only at the end.
        loss_scale_factor: > 0; the loss is multiplied by it, gradients are divided by
            it. None: 1.
        gradient_accumulation_steps: n >= 2; weights are updated in every n-th step, by
            the mean of n gradients. None: in every step.
        name: name of the optimizer; by default the class name in snake case, made
            unique.
        **kwargs: `lr` and `decay` of Keras 2: learning_rate / (1 + decay step).

    Raises:
        ValueError: an argument out of its range, two kinds of clipping, or an unknown
            argument.

    >>> class HalfStep(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.assign_sub(0.5 * learning_rate * gradient)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> HalfStep(0.5).apply([[1.0, 1.0]], [weight])
    >>> weight.numpy().tolist()
    [0.75, 1.75]
    """

    _mk_arguments: tuple[str, ...] = ()  # names of the arguments in the config

    _get_variable_index = Alias("_mk_get_variable_index")
    _trainable_variables = Alias("_mk_trainable_variables")
    _iterations = Alias("_mk_iterations")
    _learning_rate = Alias("_mk_learning_rate")
    _accumulated_gradients = Alias("_mk_accumulated_gradients")
    _model_variables_moving_average = Alias("_mk_model_variables_moving_average")
    __copy__ = deep_copy

    def __init_subclass__(cls, **kwargs):
        """Make `build` atomic, and complete the signature and docstring for help()."""
        if "build" in vars(cls):
            cls.build = all_or_nothing(vars(cls)["build"])
        # `__init__(self, learning_rate, momentum, *common, **settings)` passes the
        # arguments of the base on. Signature and docstring list them for help().
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__).parameters
        if "common" not in own:
            return
        named = [p for p in own.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        names = {p.name for p in named}
        base = inspect.signature(Optimizer.__init__).parameters.values()
        rest = [p for p in base if p.name not in names]
        cls.__signature__ = inspect.Signature(named[1:] + rest)
        cls.__doc__ = with_common_arguments(cls.__doc__, Optimizer.__doc__, rest)

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        if unknown := set(kwargs) - _KERAS_2:
            raise ValueError(
                f"{type(self).__name__}: unknown arguments {sorted(unknown)}. Known: "
                f"{list(inspect.signature(type(self)).parameters)}."
            )
        self.__dict__["_mk_variables"] = []
        self.name = naming.auto_name(type(self).__name__) if name is None else name
        if not isinstance(self.name, str) or "/" in self.name:
            raise ValueError(
                f"{type(self).__name__}: name must be a string without '/', got "
                f"{name!r}."
            )
        self._mk_store_arguments(
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            global_clipnorm=global_clipnorm,
            clipvalue=clipvalue,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
        )
        self._mk_check_clipping()
        self.built = False
        self._mk_decay = kwargs.get("decay") or 0.0
        if self._mk_decay:
            warnings.warn(
                f"{type(self).__name__}: `decay` is of Keras 2, and Keras "
                "3 ignores it. Here it acts as it did then: learning_rate / (1 + decay "
                "step). To keep to Keras 3, use `schedules.InverseTimeDecay`.",
                stacklevel=3,
            )
        self._mk_trainable_variables = []
        self._mk_slots = {}
        self._mk_excluded, self._mk_excluded_names = [], []
        self._mk_iterations = self._mk_add_scalar("iteration", 0, "int32")
        self._mk_set_learning_rate(kwargs.get("lr", learning_rate))

    def _mk_store_arguments(self, **arguments):
        """Check arguments, and keep them as attributes that `get_config` returns."""
        for name, value in arguments.items():
            setattr(self, name, hyperparameter(value, type(self).__name__, name))
        self._mk_arguments += tuple(arguments)

    def _mk_check_clipping(self):
        """Raise ValueError if two kinds of clipping were chosen."""
        clips = ("clipnorm", "clipvalue", "global_clipnorm")
        values = {name: getattr(self, name) for name in clips}
        if sum(value is not None for value in values.values()) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, "
                f"got {values}."
            )

    @property
    def iterations(self):
        """Number of updates so far: an int32 Variable or array."""
        if not self.gradient_accumulation_steps:
            return self._mk_iterations
        return self._mk_iterations.value // self.gradient_accumulation_steps

    def _mk_pure_step(self, variables, params, grads, state):
        """The whole step as a pure function.

        Args:
            variables: {key: Variable} weights, among those of `build`.
            params, grads: {key: array} their values and gradients.
            state: {path: array}, keys of `unique_paths(self.variables)`.

        Returns:
            (new params, new state).
        """
        if not grads:  # all is frozen: as in Keras, such a step is not counted
            return params, state
        if overrides(self, "stateless_apply", Optimizer):
            return self._mk_step_by_lists(variables, params, grads, state)
        if not overrides(self, "apply", Optimizer):
            return self._mk_update(variables, params, grads, state)

        def run():
            self.apply([grads[k] for k in variables], list(variables.values()))

        return self._mk_run_on_values(run, variables, params, state)

    def _mk_step_by_lists(self, variables, params, grads, state):
        """The step by the `stateless_apply` that a subclass overrides."""
        key_of = {id(v): key for key, v in variables.items()}
        keys = [key_of[id(v)] for v in self._mk_trainable_variables]
        paths = list(unique_paths(self.variables))
        params, own = self.stateless_apply(
            [state[path] for path in paths],
            [grads[key] for key in keys],
            [params[key] for key in keys],
        )
        params = dict(zip(keys, params, strict=True))
        return params, dict(zip(paths, own, strict=True))

    def update_step(self, gradient, variable, learning_rate):
        """Update one weight. Subclasses override it.

        Args:
            gradient: array of the weight's shape.
            variable: the weight, a `Variable`.
            learning_rate: scalar array.
        """
        params, state = self._mk_apply_rule(
            {0: variable},
            {0: variable.value},
            {0: convert_to_tensor(gradient)},
            self._mk_state(),
            convert_to_tensor(learning_rate),
            convert_to_tensor(self.iterations),
        )
        variable.assign(params[0])
        self._mk_assign(state)

    def _mk_check_knows(self, variables):
        """Raise ValueError unless the optimizer was built on all of these weights."""
        known = {id(v) for v in self._mk_trainable_variables}
        unknown = [v.path for v in variables if id(v) not in known]
        if self.built and unknown:
            raise ValueError(
                f"The optimizer {self.name!r} was built on {len(known)} variables and "
                f"does not know {len(unknown)} that the model trains: {unknown[:5]}. "
                "After layers were unfrozen or added, call `compile()` again with a "
                "new optimizer; of two models, each needs an optimizer of its own."
            )

    def _mk_has_own_update_step(self):
        """True if a subclass, or the object, overrides `update_step`."""
        return overrides(self, "update_step", Optimizer)

    def _mk_decay_of(self, variable):
        """The weight decay of one weight; None for a weight that does not decay."""
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _use_weight_decay(self, variable):
        """False for weights that `exclude_from_weight_decay` has named."""
        if any(variable is v for v in self._mk_excluded):
            return False
        return not any(re.search(n, variable.name) for n in self._mk_excluded_names)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Exclude weights from weight decay.

        Args:
            var_list: list of weights (`Variable`s).
            var_names: regular expression, or list of them; weights whose name contains
                a match are excluded.

        Raises:
            ValueError: a name is no string.
        """
        self._mk_excluded = list(var_list or [])
        names = [var_names] if isinstance(var_names, str) else var_names
        if not all(isinstance(name, str) for name in names or []):
            raise ValueError(
                f"{type(self).__name__}: `var_names` must be strings. Got {names!r}."
            )
        self._mk_excluded_names = list(names or [])

    def apply_gradients(self, grads_and_vars):
        """Update weights by (gradient, weight) pairs.

        Args:
            grads_and_vars: list of (array, `Variable`); the gradient may be None.

        Returns:
            The counter of steps, a `Variable`.
        """
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._mk_iterations

    def apply(self, grads, trainable_variables=None):
        """Update weights by their gradients.

        Args:
            grads: list of arrays; a weight with the gradient None is not updated.
            trainable_variables: list of weights (`Variable`s) in the same order; by
                default those of `build`.

        Raises:
            ValueError: all gradients are None, or gradients and weights do not fit.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._mk_match_gradients(grads, trainable_variables)
        present = [i for i, g in enumerate(grads) if g is not None]
        if not present:
            raise ValueError("No gradients provided for any variable.")
        if len(present) < len(grads):
            missing = [
                v.path for v, g in zip(variables, grads, strict=True) if g is None
            ]
            warnings.warn(
                f"Gradients do not exist for variables {missing}: does the loss depend "
                "on them?",
                stacklevel=2,
            )
        updated = {i: variables[i] for i in present}
        params, state = self._mk_update(
            updated,
            {i: v.value for i, v in updated.items()},
            {i: convert_to_tensor(grads[i]) for i in present},
            self._mk_state(),
        )
        for i, variable in updated.items():
            variable.assign(params[i])
        self._mk_assign(state)

    def _mk_match_gradients(self, grads, trainable_variables):
        """The weights of the gradients; ValueError if they do not fit."""
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    f"{self.name!r} does not know which variables these gradients "
                    "belong to: pass `trainable_variables`, or call "
                    "`optimizer.build(trainable_variables)` first."
                )
            variables = self._mk_trainable_variables
        else:
            variables = list(trainable_variables)
            self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"Expected one gradient per variable, got {len(grads)} gradients and "
                f"{len(variables)} trainable variables."
            )
        known = {id(v) for v in self._mk_trainable_variables}
        for gradient, variable in zip(grads, variables, strict=True):
            if getattr(gradient, "shape", variable.shape) != variable.shape:
                raise ValueError(
                    f"{self.name!r}: a gradient of shape {gradient.shape} does not fit "
                    f"the variable {variable.path!r} of shape {variable.shape}."
                )
            if id(variable) not in known:
                raise ValueError(
                    f"Unknown variable: {variable.path!r}. The optimizer updates only "
                    f"the {len(known)} variables that it was built on; make a new "
                    "optimizer for other ones."
                )
        return variables

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """Run `apply` as a pure function.

        Args:
            optimizer_variables: list of arrays, the values of `variables`.
            grads: list of gradients of the weights of `build`, in order.
            trainable_variables: list of arrays, the values of these weights.

        Returns:
            (list of new values of the weights, list of new values of `variables`).

        Raises:
            ValueError: the optimizer is not built, or a list has another length.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before `stateless_apply`: call "
                "`optimizer.build(trainable_variables)`."
            )
        for name, values, expected in (
            ("optimizer_variables", optimizer_variables, self.variables),
            ("trainable_variables", trainable_variables, self._mk_trainable_variables),
        ):
            if len(values) != len(expected):
                raise ValueError(
                    f"stateless_apply: expected {len(expected)} {name}, got "
                    f"{len(values)}."
                )
        weights, state = self._mk_trainable_variables, self.variables
        _, (new_weights, new_state) = apply(
            lambda: self.apply(grads, weights),
            (weights, state),
            (
                list(map(convert_to_tensor, trainable_variables)),
                list(map(convert_to_tensor, optimizer_variables)),
            ),
        )
        return new_weights, new_state

    def scale_loss(self, loss):
        """Return loss * loss_scale_factor.

        Args:
            loss: scalar array.
        """
        return loss * self.loss_scale_factor if self.loss_scale_factor else loss

    def finalize_variable_values(self, var_list):
        """Replace weights by their moving averages, at the end of training.

        Args:
            var_list: list of weights (`Variable`s).
        """
        if not self.use_ema:
            return
        averages = {
            id(v): average
            for v, average in zip(
                self._mk_trainable_variables,
                self._mk_model_variables_moving_average,
                strict=True,
            )
        }
        for variable in var_list:
            if (average := averages.get(id(variable))) is not None:
                variable.assign(average.value)

    def get_config(self):
        """Return the constructor's arguments."""
        rate = self._mk_learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        config = {"name": self.name, "learning_rate": serialize_keras_object(rate)}
        if self._mk_decay:
            config["decay"] = self._mk_decay
        return config | {name: getattr(self, name) for name in self._mk_arguments}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make an optimizer from a config.

        Args:
            config: dict as `get_config()` returns it.
            custom_objects: {name: class or function} of your own that it names.
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects
            )
        return cls(**config)

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)
