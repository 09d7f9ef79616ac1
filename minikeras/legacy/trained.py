"""Training as of `compile`, for scripts of Keras 1 and 2.

There `compile` fixed which weights a model trains. Scripts of GANs rely on it: they
compile the discriminator, freeze it, compile the whole, and go on training the
discriminator by itself. Keras 3 looks at `trainable` as it is, and would train nothing.
"""

import functools
import warnings

from minikeras import models
from minikeras.core import naming

_TRAINER = next(cls for cls in models.Model.__mro__ if "compile" in vars(cls))


def install(always: bool = False) -> None:
    """Train what was trainable when the model was compiled.

    Args:
        always: whenever that differs from what is trainable now, as for a script of
            Keras 1 or 2; False: only where nothing at all would be trained.
    """
    remove()
    _TRAINER.compile = _compile(_TRAINER.compile)
    for name in ("fit", "train_on_batch"):
        setattr(_TRAINER, name, _as_compiled(getattr(_TRAINER, name), always))


def remove() -> None:
    """Undo `install`."""
    for name in ("compile", "fit", "train_on_batch"):
        if hasattr(method := getattr(_TRAINER, name), "_mk_is_of_trained"):
            setattr(_TRAINER, name, method.__wrapped__)


def _compile(original):
    @functools.wraps(original)
    def compile(self, *args, **kwargs):
        original(self, *args, **kwargs)
        # Without weights yet, what is trainable at the first step counts.
        vars(self)["_mk_compiled_flags"] = _flags(self) if self.built else {}

    compile._mk_is_of_trained = True  # pyright: ignore
    return compile


def _as_compiled(original, always):
    @functools.wraps(original)
    def train(self, *args, **kwargs):
        then, now = vars(self).get("_mk_compiled_flags", {}), _flags(self)
        changed = any(now.get(key, flag) != flag for key, flag in then.items())
        trainables = self.trainable_variables if changed else []
        if not changed or (trainables and not always):
            return original(self, *args, **kwargs)
        # All flags: a frozen BatchNormalization normalizes in another way, too.
        _set(then)
        try:
            _warn(self, len(trainables))
            return original(self, *args, **kwargs)
        finally:
            _set(now)

    train._mk_is_of_trained = True  # pyright: ignore
    return train


class _Flagged:
    """A layer or a Variable as a key: by identity."""

    def __init__(self, holder, name):
        self.holder, self.name = holder, name

    def __hash__(self):
        return id(self.holder)

    def __eq__(self, other):
        return self.holder is other.holder


def _flags(model):
    """What is trainable: {layer or Variable: bool}."""
    layers = model._mk_flatten_layers()
    found = {_Flagged(layer, "_mk_trainable"): layer._mk_trainable for layer in layers}
    return found | {_Flagged(v, "trainable"): v.trainable for v in model.variables}


def _set(flags):
    for key, flag in flags.items():
        setattr(key.holder, key.name, flag)


def _warn(model, count):
    then = len(model.trainable_variables)
    if naming.first_time("trained as of compile", model.name):
        warnings.warn(
            f"Model {model.name!r} trains the {then} variables that were trainable "
            f"when it was compiled, not the {count} that are now: so did Keras 1 and "
            "2. Keras 3 looks at `trainable` as it is in each step; to have that, call "
            "compile() again after setting it.",
            stacklevel=3,
        )
