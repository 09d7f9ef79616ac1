"""Watches what a program does with models, and tells it over a channel.

An event is a call of `fit`, `evaluate`, `predict`, of their `_on_batch` kin, or of a
model itself, outside of all others. In lockstep the recorder also stops after each step
of an event, says what the step has made, and takes over the state that the other side
has, so that every step of both begins from the same numbers.
"""

import contextlib
import functools
import inspect
import json
import threading
import weakref
from typing import Any, Protocol

import numpy as np

from .taps import Taps
from .values import Draws, flat, kept, to_numpy

LOOPS = ("fit", "evaluate", "predict")
_ON_BATCH = ("train_on_batch", "test_on_batch", "predict_on_batch")


class Channel(Protocol):
    """Where the recorder tells what it sees."""

    def tell(self, message: dict[str, Any], taps: Any) -> dict[int, np.ndarray] | None:
        """Pass on a message; may return values, {number in the state: array}.

        Args:
            message: arrays, texts and numbers.
            taps: None, or a function that gives the step's taps, if they are asked for.
        """
        ...


class Recorder:
    """Watches a package until it is removed.

    Args:
        keras: the package.
        channel: takes the messages.
        lockstep_from: number of the first event whose steps are told; None: none.
    """

    def __init__(self, keras: Any, channel: Channel, lockstep_from: int | None = None):
        self._keras, self._channel, self._from = keras, channel, lockstep_from
        self._originals: list[tuple] = []
        self._models: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
        self._names: list[str] = []  # of all models, also of those that are gone
        self._told: set[int] = set()
        self._events = self._steps = 0
        self._draws = Draws()
        self._inside = threading.local()
        self._taps = None
        if lockstep_from is not None:
            backend = getattr(keras.backend, "backend", lambda: "tensorflow")()
            self._taps = Taps(keras, backend, self._patch)
        for name in (*LOOPS, *_ON_BATCH):
            self._patch(_owner(keras.Model, name), name, self._event_method(name))
        self._patch(
            _owner(keras.layers.Layer, "__call__"), "__call__", self._model_call
        )
        self._quiet, self._stepwise = _callbacks(keras, self)

    def remove(self) -> None:
        """Give the package its own methods back."""
        for owner, name, original in reversed(self._originals):
            setattr(owner, name, original)
        self._originals = []

    def end(self, error: str | None = None) -> None:
        """Tell the weights that the models have now.

        Args:
            error: how the program failed, in one line.
        """
        # Of a program that failed, models may be in any state.
        for number, name in enumerate(self._names if error is None else ()):
            model = self._models.get(number)
            arrays = None if model is None else self._weights(model, copy=kept)
            self._tell("weights", name, arrays=arrays)
        message = {"what": "end", "event": self._events, "error": error}
        self._channel.tell({**message, "draws": self._draws.since()}, None)
        self.remove()  # what the program does at its exit is not told

    def _patch(self, owner, name, make):
        original = vars(owner)[name]
        self._originals.append((owner, name, original))
        setattr(owner, name, make(original))

    # -- events -------------------------------------------------------------------

    def _event_method(self, name):
        def make(original):
            @functools.wraps(original)
            def method(model, *args, **kwargs):
                if getattr(self._inside, "event", False):
                    return original(model, *args, **kwargs)
                with self._event(model, name):
                    if name in LOOPS:
                        args, kwargs = self._with_callback(
                            original, model, args, kwargs
                        )
                    result = original(model, *args, **kwargs)
                self._after(name, model, result)
                return result

            return method

        return make

    def _model_call(self, original):
        @functools.wraps(original)
        def __call__(layer, *args, **kwargs):
            if not isinstance(layer, self._keras.Model) or self._is_within():
                return self._inner_call(original, layer, args, kwargs)
            leaves = flat([args, kwargs]).values()
            if not all(map(_is_concrete, leaves)):
                return self._inner_call(original, layer, args, kwargs)
            with self._event(layer, "call"):
                result = original(layer, *args, **kwargs)
            if all(map(_is_concrete, flat(result).values())):
                self._after("call", layer, result)
            return result

        return __call__

    def _is_within(self):
        """In an event, or in the call of another layer?"""
        return getattr(self._inside, "event", False) or getattr(
            self._inside, "depth", 0
        )

    def _inner_call(self, original, layer, args, kwargs):
        depth = getattr(self._inside, "depth", 0)
        self._inside.depth = depth + 1
        try:
            return original(layer, *args, **kwargs)
        finally:
            self._inside.depth = depth

    @contextlib.contextmanager
    def _event(self, model, name):
        self._steps = 0
        self._inside.event = True
        self._meet(model)
        if self._is_lockstep() and model.built:
            self._begin(model)
        try:
            yield
        finally:
            self._inside.event = False

    def _is_lockstep(self):
        return self._from is not None and self._events >= self._from

    def _after(self, name, model, result):
        """Tell the result of an event."""
        self._meet(model)
        arrays = {}
        if name == "fit":
            result = getattr(result, "history", result)
            arrays = self._weights(model, copy=kept)
        if self._is_lockstep() and name not in LOOPS:
            # A loop has told its steps; here the call was one.
            self._step(name, model, result)
        values = {path: kept(x) for path, x in flat(result).items() if _is_value(x)}
        draws = self._draws.since()
        self._tell(name, model.name, values=values, arrays=arrays, draws=draws)
        self._events += 1

    def _tell(self, what, name, **more):
        message = {"what": what, "event": self._events, "model": name, **more}
        self._channel.tell(message, None)

    def _with_callback(self, original, model, args, kwargs):
        """The arguments of a loop, with our callback behind those of the user."""
        make = self._stepwise if self._is_lockstep() else self._quiet
        bound = inspect.signature(original).bind(model, *args, **kwargs)
        given = bound.arguments.get("callbacks")
        if hasattr(given, "append") and not isinstance(given, list):
            given.append(make())  # a CallbackList
            return args, kwargs
        if given is None:
            given = []
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        bound.arguments["callbacks"] = [*given, make()]
        return bound.args[1:], bound.kwargs

    # -- models -------------------------------------------------------------------

    def _meet(self, model):
        """Tell the structure and the initial weights of a model, once."""
        number = next((n for n, m in self._models.items() if m is model), None)
        if number is None:
            number = len(self._names)
            self._names.append(model.name)
            self._models[number] = model
        if number in self._told or not model.built:
            return
        self._told.add(number)
        message = {
            "what": "model",
            "event": self._events,
            "model": model.name,
            "class": type(model).__name__,
            "layers": [(x.name, type(x).__name__) for x in _layers(model)],
            "configs": {x.name: _config(x) for x in _layers(model)},
            "optimizers": {x.name: _config(x) for x in _optimizers(model)},
            "arrays": self._weights(model, slots=False),
            "draws": self._draws.since(),
        }
        self._take_over(model, self._channel.tell(message, None), slots=False)

    def _state(self, model, slots=True):
        """[(path, kind, variable)]: weights, counters of draws, slots of optimizers."""
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()  # Keras on JAX leaves old values in its variables
        weights = list(model.weights)
        known = {id(v) for v in weights} | {id(v) for v in _metric_variables(model)}
        optimizers = [
            (v, optimizer.name)
            for optimizer in _optimizers(model)
            for v in _variables(optimizer)
        ]
        known |= {id(v) for v, _ in optimizers}
        found = [(_path(v), "weight", v) for v in weights]
        drawers = _drawers(model)
        for v in model.variables:
            if id(v) not in known:
                owner = drawers.get(id(v))
                path = f"{owner}/{v.name}" if owner else _path(v)
                found.append((path, "draw" if owner else "state", v))
        if slots:
            found += [(f"{name}: {_path(v)}", "slot", v) for v, name in optimizers]
        return found

    def _weights(self, model, slots=True, copy=np.array):
        """{path: (kind, copy of the value)}; where two paths are equal, numbered."""
        found = {}
        for path, kind, variable in self._state(model, slots):
            key, count = path, 2
            while key in found:
                key, count = f"{path} ({count})", count + 1
            try:
                found[key] = (kind, copy(to_numpy(variable)))
            except RuntimeError:  # Keras on JAX leaves deleted arrays of averages
                found[key] = ("gone", np.zeros(0))
        return found

    def _take_over(self, model, values, slots=True):
        if not values:
            return
        for number, (_, _, variable) in enumerate(self._state(model, slots)):
            if number in values:
                variable.assign(values[number].astype(to_numpy(variable).dtype))

    # -- lockstep -----------------------------------------------------------------

    def _begin(self, model):
        """Tell the state that an event starts from, and take over the other side's."""
        self._taps.take()
        message = {
            "what": "begin",
            "event": self._events,
            "model": model.name,
            "arrays": self._weights(model),
        }
        self._take_over(model, self._channel.tell(message, None))

    def _step(self, name, model, logs):
        message = {
            "what": "step",
            "event": self._events,
            "of": name,
            "step": self._steps,
            "model": model.name,
            "loss": str(getattr(model, "loss", None)),
            "values": {k: kept(v) for k, v in flat(logs).items() if _is_value(v)},
            "arrays": self._weights(model),
        }
        self._steps += 1
        taps = self._taps.take()
        self._take_over(model, self._channel.tell(message, lambda: taps))


def _callbacks(keras, recorder):
    """Two classes of callbacks: one that meets the model, one that tells each step."""

    class Meeting(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            recorder._meet(self.model)

    class Stepwise(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            recorder._meet(self.model)
            recorder._begin(self.model)

        def on_train_batch_end(self, batch, logs=None):
            recorder._step("train", self.model, logs)

        def on_test_batch_end(self, batch, logs=None):
            recorder._step("test", self.model, logs)

        def on_predict_batch_end(self, batch, logs=None):
            recorder._step("predict", self.model, logs)

    return Meeting, Stepwise


def _owner(cls, name):
    return next(c for c in cls.__mro__ if name in vars(c))


def _is_concrete(x):
    name = type(x).__name__
    return not (name.endswith(("Tracer", "KerasTensor", "Variable"))) and (
        not hasattr(x, "graph")  # a tensor of a TensorFlow graph
    )


def _is_value(x):
    if isinstance(x, (bool, int, float, complex, str, bytes, np.generic)):
        return True
    return hasattr(x, "dtype") and hasattr(x, "shape")


def _layers(model):
    """The layers of a model and of its inner models, each once."""
    found, waiting = {}, list(getattr(model, "layers", ()))
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting[:0] = list(getattr(layer, "layers", ()))
    return list(found.values())


def _drawers(model):
    """{id of the state of a generator: name of the layer that draws from it}"""
    return {
        id(value.state): layer.name
        for layer in (*_layers(model), model)
        for value in list(vars(layer).values())
        if type(value).__name__ == "SeedGenerator" and hasattr(value, "state")
    }


def _config(thing):
    try:
        return json.dumps(thing.get_config(), default=str, sort_keys=True)
    except Exception:  # a user's `get_config`; it only serves a message
        return "{}"


def _optimizers(model):
    """The optimizers among the attributes of a model, that of `compile` first."""
    found = {}
    for value in (getattr(model, "optimizer", None), *vars(model).values()):
        if hasattr(value, "apply_gradients") and hasattr(value, "variables"):
            found.setdefault(id(value), value)
    return list(found.values())


def _variables(optimizer):
    variables = optimizer.variables
    return list(variables() if callable(variables) else variables)


def _metric_variables(model):
    return [v for metric in getattr(model, "metrics", ()) for v in metric.variables]


def _path(variable):
    return getattr(variable, "path", None) or variable.name
