"""Taps: what each layer, loss and optimizer computes in a step, forward and backward.

A tap is an identity in the computation that hands a copy of the value to the host. It
is put there when the step is traced, and every run of the step records its values anew.
"""

import functools
import importlib
import itertools
import threading
from typing import Any

from .values import flat, kept


class Taps:
    """Wraps the calls of layers, the loss, and the gradients that optimizers get.

    Args:
        keras: the package, real Keras of any backend or this one.
        backend: "jax", "tensorflow" or "torch".
        patch: function (owner, name, make) that replaces an attribute by
            `make(original)` until the recorder is removed.
    """

    def __init__(self, keras: Any, backend: str, patch: Any):
        self._serial = itertools.count()
        self._found: dict[int, tuple] = {}
        self._stack = threading.local()
        self._backend = _BACKENDS[backend](keras)
        self._keras = keras
        # These call their inner layers inside a compiled loop, many times a step.
        self._loops = (keras.layers.RNN, keras.layers.TimeDistributed)
        layer = _owner(keras.layers.Layer, "__call__")
        patch(layer, "__call__", self._around_call)
        if hasattr(keras, "Operation"):
            patch(_owner(keras.Operation, "__call__"), "__call__", self._around_op)
        patch(_owner(keras.Model, "compute_loss"), "compute_loss", self._around_loss)
        optimizer = keras.optimizers.Optimizer
        if hasattr(optimizer, "_mk_update"):
            owner = [c for c in optimizer.__mro__ if "_mk_update" in vars(c)][-1]
            patch(owner, "_mk_update", self._around_update)
        elif hasattr(optimizer, "apply"):
            patch(_owner(optimizer, "apply"), "apply", self._around_apply)
        else:
            name = "apply_gradients"
            patch(_owner(optimizer, name), name, self._around_apply_gradients)

    def take(self) -> list[tuple[str, str, str, Any]]:
        """The values since the last call: (what, name, class, array), in call order.

        What it is: "argument" and "output" of a layer, "operation" (its output),
        "mask" (that a layer gets), "output mask" (not of traced arrays of real Keras),
        "target", "penalty", "loss"; then, from the last call back, "output gradient"
        and "argument gradient" (of the loss), and "weight gradient".
        """
        self._backend.wait()
        found, self._found = self._found, {}
        return [found[key] for key in sorted(found)]

    def _record(self, what, name, kind, tensor):
        """Have every run of the step hand over a value; returns its serial number."""
        serial = next(self._serial)
        self._backend.send(tensor, self._receiver((0, serial), what, name, kind))
        return serial

    def _receiver(self, key, what, name, kind):
        def receive(x):
            self._found[key] = (what, name, kind, kept(x))

        return receive

    def _through(self, what, name, kind, tensor):
        """Record a value, and its gradient when it comes; returns the tensor."""
        serial = self._record(what, name, kind, tensor)
        if what == "operation":  # not every side calls the same ones
            return tensor
        # Gradients are made from the last call back.
        receive = self._receiver((1, -serial), f"{what} gradient", name, kind)
        return self._backend.identity(tensor, receive)

    # -- what is wrapped ----------------------------------------------------------

    def _around_call(self, original):
        @functools.wraps(original)
        def call(layer, *args, **kwargs):
            return self._watched(original, layer, args, kwargs)

        return call

    def _around_op(self, original):
        layer_class = self._keras.layers.Layer

        @functools.wraps(original)
        def call(operation, *args, **kwargs):
            if isinstance(operation, layer_class):
                return original(operation, *args, **kwargs)
            return self._watched(original, operation, args, kwargs, "operation")

        return call

    def _watched(self, original, layer, args, kwargs, what="output"):
        stack = vars(self._stack).setdefault("is_loop", [])
        inputs = flat([args, {k: v for k, v in kwargs.items() if k != "training"}])
        is_real = all(map(self._is_value, inputs.values()))
        # `fit` runs the bare `call` of a model in some packages.
        is_outermost = not stack and isinstance(layer, self._keras.Model)
        is_seen = is_real and not any(stack) and not is_outermost
        name, kind = layer.name, type(layer).__name__
        if is_seen and what == "output":
            self._record_mask(layer, args, kwargs)
            args, kwargs = self._tap_tree("argument", name, kind, (args, kwargs))
        stack.append(isinstance(layer, self._loops))
        try:
            outputs = original(layer, *args, **kwargs)
        finally:
            stack.pop()
        return self._tap_tree(what, name, kind, outputs) if is_seen else outputs

    def _record_mask(self, layer, args, kwargs):
        """Record the mask that a call gets, as an argument or with its first input."""
        masks = list(flat(kwargs.get("mask")).values()) or [
            self._backend.get_mask(x)
            for x in flat(args[:1]).values()
            if self._backend.is_tensor(x)
        ]
        for mask in masks:
            if mask is not None and self._backend.is_tensor(mask):
                self._record("mask", layer.name, type(layer).__name__, mask)

    def _is_value(self, x):
        return not type(x).__name__.endswith("KerasTensor")

    def _tap_tree(self, what, name, kind, tree):
        """Tap the tensors in lists, tuples and dicts; their masks stay on them."""
        if isinstance(tree, dict) and type(tree) is dict:
            return {
                k: v if "mask" in str(k) else self._tap_tree(what, name, kind, v)
                for k, v in tree.items()
            }
        if type(tree) in (list, tuple):
            return type(tree)([self._tap_tree(what, name, kind, v) for v in tree])
        if not self._backend.is_tensor(tree):
            return tree
        mask = self._backend.get_mask(tree)
        tapped = self._through(what, name, kind, tree)
        if mask is not None:
            if what == "output":
                self._record("output mask", name, kind, mask)
            self._backend.set_mask(tapped, mask)
        return tapped

    def _around_loss(self, original):
        @functools.wraps(original)
        def compute_loss(model, *args, **kwargs):
            given = dict(zip(("x", "y", "y_pred", "sample_weight"), args, strict=False))
            given |= kwargs
            for key in ("y", "sample_weight"):
                for path, x in flat(given.get(key)).items():
                    if self._backend.is_tensor(x):
                        self._record("target", f"{key} {path}".strip(), "", x)
            for i, penalty in enumerate(model.losses):
                if self._backend.is_tensor(penalty):
                    self._record("penalty", str(i), "", penalty)
            loss = original(model, *args, **kwargs)
            if self._backend.is_tensor(loss):
                self._record("loss", model.name, type(model).__name__, loss)
            return loss

        return compute_loss

    def _gradients(self, variables, gradients):
        for variable, gradient in zip(variables, gradients, strict=True):
            if gradient is not None and self._backend.is_tensor(gradient):
                path = getattr(variable, "path", None) or variable.name
                serial = next(self._serial)  # after all others
                receive = self._receiver((2, serial), "weight gradient", path, "")
                self._backend.send(gradient, receive)

    def _around_update(self, original):
        @functools.wraps(original)
        def update(optimizer, variables, params, grads, state):
            self._gradients(variables.values(), [grads[key] for key in variables])
            return original(optimizer, variables, params, grads, state)

        return update

    def _around_apply(self, original):
        @functools.wraps(original)
        def apply(optimizer, grads, trainable_variables=None):
            grads = list(grads)
            known = trainable_variables
            if known is None:
                known = getattr(optimizer, "_trainable_variables", ())
            self._gradients(known, grads)
            return original(optimizer, grads, trainable_variables)

        return apply

    def _around_apply_gradients(self, original):
        @functools.wraps(original)
        def apply_gradients(optimizer, grads_and_vars, *args, **kwargs):
            pairs = list(grads_and_vars)
            self._gradients([v for _, v in pairs], [g for g, _ in pairs])
            return original(optimizer, pairs, *args, **kwargs)

        return apply_gradients


def _owner(cls, name):
    return next(c for c in cls.__mro__ if name in vars(c))


# -- backends ---------------------------------------------------------------------


class _Jax:
    def __init__(self, keras):
        self.jax = importlib.import_module("jax")
        self._masks = None
        if keras.__name__ == "minikeras":  # whose masks of traced arrays lie elsewhere
            self._masks = importlib.import_module("minikeras.core.bridge")
        self._identity = _jax_identity(self.jax)

    def is_tensor(self, x):
        return isinstance(x, self.jax.Array) and self._is_plain(x)

    def _is_plain(self, x):
        return not self.jax.dtypes.issubdtype(x.dtype, self.jax.dtypes.extended)

    def send(self, x, receive):
        self.jax.debug.callback(receive, x)

    def identity(self, x, receive):
        if not self.jax.numpy.issubdtype(x.dtype, self.jax.numpy.inexact):
            return x
        return self._identity.bind(x, receive=receive)

    def get_mask(self, x):
        if self._masks is not None:
            return self._masks.get_mask(x)
        return getattr(x, "_keras_mask", None)

    def set_mask(self, x, mask):
        if self._masks is not None:
            self._masks.set_mask(x, mask)
        else:
            x._keras_mask = mask

    def wait(self):
        self.jax.effects_barrier()


def _jax_identity(jax):
    """A linear primitive that hands over the gradient which flows back through it.

    A `custom_vjp` would do, but for programs that differentiate forward, or twice.
    """
    extend = importlib.import_module("jax.extend.core")
    ad, batching, mlir = (
        importlib.import_module(f"jax.interpreters.{name}")
        for name in ("ad", "batching", "mlir")
    )
    identity = extend.Primitive("parity_tap")
    identity.def_impl(lambda x, receive: x)
    identity.def_abstract_eval(lambda x, receive: x)

    def transpose(gradient, x, receive):
        if not isinstance(gradient, ad.Zero):
            jax.debug.callback(receive, gradient)
        return [gradient]

    def batch(args, axes, receive):
        return identity.bind(*args, receive=receive), axes[0]

    ad.deflinear2(identity, transpose)
    batching.primitive_batchers[identity] = batch
    mlir.register_lowering(identity, lambda ctx, x, receive: [x])
    return identity


class _Eager:
    """A backend whose steps run eagerly: values are there when they are tapped."""

    def send(self, x, receive):
        receive(x)

    def get_mask(self, x):
        return getattr(x, "_keras_mask", None)

    def set_mask(self, x, mask):
        x._keras_mask = mask

    def wait(self):
        pass


class _TensorFlow(_Eager):
    def __init__(self, keras):
        self.tf = importlib.import_module("tensorflow")
        self.tf.config.run_functions_eagerly(True)  # taps need values

    def is_tensor(self, x):
        return isinstance(x, self.tf.Tensor) and hasattr(x, "numpy")

    def identity(self, x, receive):
        if not (x.dtype.is_floating or x.dtype.is_complex):
            return x

        @self.tf.custom_gradient
        def identity(x):
            def backward(gradient):
                if hasattr(gradient, "numpy"):
                    receive(gradient)
                return gradient

            return self.tf.identity(x), backward

        return identity(x)


class _Torch(_Eager):
    def __init__(self, keras):
        self.torch = importlib.import_module("torch")

    def is_tensor(self, x):
        return isinstance(x, self.torch.Tensor) and x.device.type != "meta"

    def identity(self, x, receive):
        if not x.requires_grad:
            return x
        tapped = x.view_as(x)
        tapped.register_hook(lambda gradient: receive(gradient))
        return tapped


_BACKENDS = {"jax": _Jax, "tensorflow": _TensorFlow, "torch": _Torch}
