"""What training did in Keras 1 and 2, for scripts of that time.

`compile` fixed which weights a model trains. Scripts of GANs rely on it: they compile
the discriminator, freeze it, compile the whole, and go on training the discriminator by
itself. Keras 3 looks at `trainable` as it is, and would train nothing.

One optimizer could serve several models: each had its own slots, all shared the count
of steps and the learning rate. Keras 3 raises an error.

Targets of one axis became columns. Without that, metrics of the script's own would
compare targets (n,) with outputs (n, 1), which gives (n, n).
"""

import functools
import warnings

import jax
import numpy as np

from minikeras import models
from minikeras.core import naming

_WITH_TARGETS = ("evaluate", "fit", "test_on_batch", "train_on_batch")
_TRAINER = next(cls for cls in models.Model.__mro__ if "compile" in vars(cls))


def install(always: bool = False) -> None:
    """Train what was trainable when the model was compiled.

    Args:
        always: whenever that differs from what is trainable now, as for a script of
            Keras 1 or 2, whose targets become columns, too; False: only where nothing
            at all would be trained.
    """
    remove()
    _TRAINER.compile = _compile(_TRAINER.compile)
    for name in ("fit", "train_on_batch"):
        setattr(_TRAINER, name, _as_compiled(getattr(_TRAINER, name), always))
    for name in _WITH_TARGETS if always else ():
        setattr(_TRAINER, name, _with_columns(getattr(_TRAINER, name)))


def remove() -> None:
    """Undo `install`."""
    for name in ("compile", *_WITH_TARGETS):
        while hasattr(method := getattr(_TRAINER, name), "_mk_is_old_rule"):
            setattr(_TRAINER, name, method.__wrapped__)


def _compile(original):
    @functools.wraps(original)
    def compile(self, *args, **kwargs):
        original(self, *args, **kwargs)
        # Without weights yet, what is trainable at the first step counts.
        vars(self)["_mk_compiled_flags"] = _flags(self) if self.built else {}

    compile._mk_is_old_rule = True  # pyright: ignore
    return compile


def _as_compiled(original, always):
    @functools.wraps(original)
    def train(self, *args, **kwargs):
        then, now = vars(self).get("_mk_compiled_flags", {}), _flags(self)
        changed = any(now.get(key, flag) != flag for key, flag in then.items())
        trainables = self.trainable_variables if changed else []
        if not changed or (trainables and not always):
            _own_optimizer(self)
            return original(self, *args, **kwargs)
        # All flags: a frozen BatchNormalization normalizes in another way, too.
        _set(then)
        try:
            _warn(self, len(trainables))
            _own_optimizer(self)
            return original(self, *args, **kwargs)
        finally:
            _set(now)

    train._mk_is_old_rule = True  # pyright: ignore
    return train


def _own_optimizer(model):
    """Give a model slots of its own, if its optimizer trains another one already."""
    shared = getattr(model, "optimizer", None)
    if shared is None or model._mk_overrides("train_step"):
        return
    if vars(shared).setdefault("_mk_trains", id(model)) == id(model):
        return
    try:
        return shared._mk_check_knows(model.trainable_variables)
    except ValueError:
        model.optimizer = shared._mk_for_other_weights()
    if naming.first_time("an optimizer of several models", model.name):
        warnings.warn(
            f"The optimizer {shared.name!r} of model {model.name!r} was built for "
            "other weights. The model gets slots of its own, and shares the count of "
            "steps and the learning rate: so did Keras 1 and 2. In Keras 3, each model "
            "needs an optimizer of its own.",
            stacklevel=3,
        )


def _with_columns(original):
    @functools.wraps(original)
    def method(self, x=None, y=None, *args, **kwargs):
        if "validation_data" in kwargs and isinstance(kwargs["validation_data"], tuple):
            first, target, *rest = kwargs["validation_data"]
            kwargs["validation_data"] = (first, _columns(target), *rest)
        return original(self, x, _columns(y), *args, **kwargs)

    method._mk_is_old_rule = True  # pyright: ignore
    return method


def _columns(y):
    return jax.tree_util.tree_map(
        lambda a: a[:, None] if isinstance(a, np.ndarray) and a.ndim == 1 else a, y
    )


class _Flagged:
    """A layer or a Variable as a key: by identity."""

    def __init__(self, holder):
        self.holder = holder

    def __hash__(self):
        return id(self.holder)

    def __eq__(self, other):
        return self.holder is other.holder


def _flags(model):
    """What is trainable: {layer or Variable: bool}."""
    # Outer layers first: setting theirs sets those of the inner ones, which follow.
    holders = [*model._mk_flatten_layers(), *model.variables]
    return {_Flagged(holder): holder.trainable for holder in holders}


def _set(flags):
    for key, flag in flags.items():
        key.holder.trainable = flag


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
