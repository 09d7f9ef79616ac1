"""Optimizer: gradients and Variables in, better Variables out."""

import inspect
import re
import warnings
from typing import Any

import jax

from minikeras.core import naming
from minikeras.core.checks import hyperparameter
from minikeras.core.members import Alias, copied, overrides, whole
from minikeras.core.object_repr import describe, visible
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import Variable, convert_to_tensor, unique_paths
from minikeras.optimizers.schedules.schedule import LearningRateSchedule
from minikeras.optimizers.step import OptimizerStep

_KERAS_2 = {"lr", "decay", "jit_compile", "is_legacy_optimizer"}


class Optimizer(OptimizerStep):
    """Base of optimizers: a rule, and what is done to gradients and weights around it.

    A subclass names its rule in `_mk_transform` (see `rules.py`) and its slots in
    `_mk_slot_groups`; or, in Keras's style, makes variables in `build` and overrides
    `update_step`.

    Args:
        learning_rate: float, `LearningRateSchedule`, or function of no arguments.
        weight_decay: each step first takes weight_decay learning_rate p from p.
        clipnorm: > 0; each gradient longer than this is shortened to it.
        clipvalue: > 0; entries of gradients are cut off at this size.
        global_clipnorm: > 0; all gradients together are shortened to this length.
        use_ema: keep the moving average of the weights, and at the end of training
            put it in their place?
        ema_momentum: in [0, 1]; how slowly the average moves.
        ema_overwrite_frequency: put the average in the weights' place every so many
            steps; None: only at the end.
        loss_scale_factor: the loss is multiplied, gradients are divided by it.
        gradient_accumulation_steps: >= 2; update once in so many steps, with the mean
            of their gradients. None: in every step.
        name: unique snake-case class name by default.
        **kwargs: `lr` and `decay` (learning_rate / (1 + decay step)) as in Keras 2.

    Raises:
        ValueError: a setting out of its range, two kinds of clipping, or an unknown
            argument.
    """

    _mk_arguments: tuple[str, ...] = ()  # what the config shows
    _mk_learning_rate: Any

    _get_variable_index = Alias("_mk_get_variable_index")
    _trainable_variables = Alias("_mk_trainable_variables")
    _iterations = Alias("_mk_iterations")
    _learning_rate = Alias("_mk_learning_rate")
    _accumulated_gradients = Alias("_mk_accumulated_gradients")
    _model_variables_moving_average = Alias("_mk_model_variables_moving_average")
    __copy__ = copied

    def __init_subclass__(cls, **kwargs):
        if "build" in vars(cls):
            cls.build = whole(vars(cls)["build"])
        # `__init__(self, learning_rate, momentum, *common, **settings)` reads in
        # help() and editors as if it listed the base's arguments.
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__).parameters
        if "common" not in own:
            return
        named = [p for p in own.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        names = {p.name for p in named}
        base = inspect.signature(Optimizer.__init__).parameters.values()
        rest = [p for p in base if p.name not in names]
        cls.__signature__ = inspect.Signature(named[1:] + rest)

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
        self._mk_set(
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
        self._mk_iterations = self._mk_counter("iteration", 0, "int32")
        self._mk_set_learning_rate(kwargs.get("lr", learning_rate))

    def _mk_set(self, **arguments):
        """Check arguments and make them attributes that the config shows."""
        for name, value in arguments.items():
            setattr(self, name, hyperparameter(type(self).__name__, name, value))
        self._mk_arguments += tuple(arguments)

    def _mk_check_clipping(self):
        clips = ("clipnorm", "clipvalue", "global_clipnorm")
        given = {name: getattr(self, name) for name in clips}
        if sum(value is not None for value in given.values()) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, "
                f"got {given}."
            )

    @property
    def iterations(self):
        """Number of updates so far."""
        if not self.gradient_accumulation_steps:
            return self._mk_iterations
        return self._mk_iterations.value // self.gradient_accumulation_steps

    # -- learning rate ------------------------------------------------------------

    def _mk_set_learning_rate(self, value):
        if callable(value) and not isinstance(value, (Variable, jax.Array)):
            self._mk_learning_rate = value
            return
        self._mk_learning_rate = self._mk_counter(
            "learning_rate", self._mk_number(value), None
        )

    def _mk_number(self, rate):
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
        """The Variable, or the current value of a schedule or function."""
        rate = self._mk_learning_rate
        return (
            rate
            if isinstance(rate, Variable)
            else self._mk_rate(self._mk_iterations.value)
        )

    @learning_rate.setter
    def learning_rate(self, value):
        is_number = not callable(value) or isinstance(value, (Variable, jax.Array))
        if isinstance(self._mk_learning_rate, Variable) and is_number:
            self._mk_learning_rate.assign(self._mk_number(value))
            return
        if is_number:
            raise TypeError(
                f"The learning rate of {self.name!r} follows "
                f"{type(self._mk_learning_rate).__name__}, so it cannot be set to "
                f"{value!r}. Make the optimizer with a float learning_rate to set it "
                "later."
            )
        self.__dict__["_mk_variables"] = [
            v for v in self._mk_variables if v is not self._mk_learning_rate
        ]
        self._mk_learning_rate = value

    def _mk_rate(self, step_count, variable_value=None):
        """The learning rate at a step, as an array."""
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

    # -- the step -----------------------------------------------------------------

    def _mk_pure_step(self, variables, params, grads, state):
        """The whole step as a pure function.

        Args:
            variables: {key: Variable} weights, among those of `build`.
            params, grads: {key: array} their values and gradients.
            state: {path: array}, keys of `unique_paths(self.variables)`.

        Returns:
            (new params, new state).
        """
        if overrides(self, "stateless_apply", Optimizer):
            return self._mk_by_lists(variables, params, grads, state)
        if not overrides(self, "apply", Optimizer):
            return self._mk_update(variables, params, grads, state)

        def run():
            self.apply([grads[k] for k in variables], list(variables.values()))

        return self._mk_bridge(run, variables, params, state)

    def _mk_by_lists(self, variables, params, grads, state):
        """The step by a `stateless_apply` of the user's."""
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
        """Update one weight by the rule, on its own; subclasses may override it."""
        params, state = self._mk_follow_rule(
            *({0: variable}, {0: variable.value}),
            *({0: convert_to_tensor(gradient)}, self._mk_state()),
            *(convert_to_tensor(learning_rate), convert_to_tensor(self.iterations)),
        )
        variable.assign(params[0])
        self._mk_assign(state)

    def _mk_check_knows(self, variables):
        """ValueError unless it was built on all of these weights."""
        known = {id(v) for v in self._mk_trainable_variables}
        unknown = [v.path for v in variables if id(v) not in known]
        if self.built and unknown:
            raise ValueError(
                f"The optimizer {self.name!r} was built on {len(known)} variables and "
                f"does not know {len(unknown)} that the model trains: {unknown[:5]}. "
                "After layers were thawed or added, call `compile()` again with a new "
                "optimizer; of two models, each needs an optimizer of its own."
            )

    def _mk_has_own_update_step(self):
        return overrides(self, "update_step", Optimizer)

    def _mk_decay_of(self, variable):
        """The `weight_decay` of one weight; None: it does not decay."""
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _use_weight_decay(self, variable):
        if any(variable is v for v in self._mk_excluded):
            return False
        return not any(re.search(n, variable.name) for n in self._mk_excluded_names)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Let these weights, or those whose name holds one of the names, not decay."""
        self._mk_excluded = list(var_list or [])
        names = [var_names] if isinstance(var_names, str) else var_names
        if not all(isinstance(name, str) for name in names or []):
            raise ValueError(
                f"{type(self).__name__}: `var_names` must be strings. Got {names!r}."
            )
        self._mk_excluded_names = list(names or [])

    # -- on Variables -------------------------------------------------------------

    def apply_gradients(self, grads_and_vars):
        """`apply` of (gradient, Variable) pairs. Returns `iterations`."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._mk_iterations

    def apply(self, grads, trainable_variables=None):
        """Update Variables by their gradients; those without one (None) stay.

        Args:
            grads: list of arrays.
            trainable_variables: list of Variables; by default those of `build`.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._mk_known(grads, trainable_variables)
        kept = [i for i, g in enumerate(grads) if g is not None]
        if not kept:
            raise ValueError("No gradients provided for any variable.")
        if len(kept) < len(grads):
            missing = [
                v.path for v, g in zip(variables, grads, strict=True) if g is None
            ]
            warnings.warn(
                f"Gradients do not exist for variables {missing}: does the loss depend "
                "on them?",
                stacklevel=2,
            )
        chosen = {i: variables[i] for i in kept}
        params, state = self._mk_update(
            *(chosen, {i: v.value for i, v in chosen.items()}),
            {i: convert_to_tensor(grads[i]) for i in kept},
            self._mk_state(),
        )
        for i, variable in chosen.items():
            variable.assign(params[i])
        self._mk_assign(state)

    def _mk_known(self, grads, trainable_variables):
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
        """`apply` as a function of lists of arrays.

        Returns:
            (new values of the weights, new values of `variables`).
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before `stateless_apply`: call "
                "`optimizer.build(trainable_variables)`."
            )
        for what, values, expected in (
            ("optimizer_variables", optimizer_variables, self.variables),
            ("trainable_variables", trainable_variables, self._mk_trainable_variables),
        ):
            if len(values) != len(expected):
                raise ValueError(
                    f"stateless_apply: expected {len(expected)} {what}, got "
                    f"{len(values)}."
                )
        variables = dict(enumerate(self._mk_trainable_variables))
        own = unique_paths(self.variables)
        params, state = self._mk_bridge(
            lambda: self.apply(grads, self._mk_trainable_variables),
            variables,
            dict(enumerate(map(convert_to_tensor, trainable_variables))),
            dict(zip(own, map(convert_to_tensor, optimizer_variables), strict=True)),
        )
        return [params[i] for i in variables], [state[path] for path in own]

    def scale_loss(self, loss):
        """loss * loss_scale_factor."""
        return loss * self.loss_scale_factor if self.loss_scale_factor else loss

    def finalize_variable_values(self, var_list):
        """At the end of training: put the moving averages in the weights' place."""
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

    def assign(self, variable, value):
        """`variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """`variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """`variable.assign_sub(value)`."""
        variable.assign_sub(value)

    def get_config(self):
        """The constructor's arguments."""
        rate = self._mk_learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        config = {"name": self.name, "learning_rate": serialize_keras_object(rate)}
        if self._mk_decay:
            config["decay"] = self._mk_decay
        return config | {name: getattr(self, name) for name in self._mk_arguments}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new optimizer from `get_config()`."""
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
