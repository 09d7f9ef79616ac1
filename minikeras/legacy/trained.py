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

    @functools.wraps(vars(_TRAINER)["compile"])
    def compile(self, *args, **kwargs):
        compile.__wrapped__(self, *args, **kwargs)
        # Without weights yet, what is trainable at the first step counts. As ids, since
        # a list of Variables would become state of the model.
        then = _ids(self.trainable_variables) if self.built else None
        self._mk_compiled_trainables = then

    def trained(self):
        now = self.trainable_variables
        ids = getattr(self, "_mk_compiled_trainables", None)
        if not ids or (now and not always) or _ids(now) == ids:
            return now
        then = [v for v in self.variables if id(v) in ids]
        if naming.first_time("trained as of compile", self.name):
            warnings.warn(
                f"Model {self.name!r} trains the {len(then)} variables that were "
                f"trainable when it was compiled, not the {len(now)} that are now: so "
                "did Keras 1 and 2. Keras 3 looks at `trainable` as it is in each "
                "step; to have that, call compile() again after setting it.",
                stacklevel=3,
            )
        return then

    compile._mk_is_of_legacy = True  # pyright: ignore
    _TRAINER.compile = compile
    trained.__wrapped__ = models.Model._mk_trained_variables  # pyright: ignore
    models.Model._mk_trained_variables = trained  # over the one it inherits


def remove() -> None:
    """Undo `install`."""
    if hasattr(_TRAINER.compile, "_mk_is_of_legacy"):
        _TRAINER.compile = _TRAINER.compile.__wrapped__
        del models.Model._mk_trained_variables


def _ids(variables):
    return frozenset(map(id, variables))
