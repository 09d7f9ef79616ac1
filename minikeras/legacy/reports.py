"""The report of a run: what was run, how it ended, and what was trained."""

import functools
import json
import os
import sys
import time
from typing import Any

import jax

from minikeras import models
from minikeras.saving.atomic_files import replace_file
from minikeras.version import KERAS_VERSION, __version__

_TRAINER = next(cls for cls in models.Model.__mro__ if "fit" in vars(cls))


class Report:
    """Notes each `fit` while its `with` block runs, then writes a JSON file.

    It is written at the beginning too, so that a place where that fails is noticed
    before hours of training; a killed program leaves that one, with the status null.

    Args:
        path: of the file.
        facts: what is known before, {name: JSON-ready value}.

    Raises:
        OSError: the file cannot be written at the beginning. At the end, that is said
            on standard error.
    """

    def __init__(self, path: str, facts: dict[str, Any]):
        # The program may change the folder.
        self.path, self.facts = os.path.abspath(path), facts
        self.trained: list[dict[str, Any]] = []

    def __enter__(self):
        self._begin, fit = time.perf_counter(), vars(_TRAINER)["fit"]
        # Without the platform: asking for it starts JAX, which the program may set up.
        self._write({"status": None, "error": None})

        @functools.wraps(fit)
        def noted(model, *args, **kwargs):
            begin = time.perf_counter()
            history = fit(model, *args, **kwargs)
            self.trained.append(
                {
                    "model": model.name,
                    "parameters": model.count_params() if model.built else None,
                    "seconds": round(time.perf_counter() - begin, 3),
                    "history": getattr(history, "history", None),
                }
            )
            return history

        self._fit, _TRAINER.fit = fit, noted
        return self

    def __exit__(self, kind, error, traceback):
        _TRAINER.fit = self._fit
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(bool(error.code))
            self.facts["status"] = code
            self.facts["error"] = error.code if isinstance(error.code, str) else None
        try:
            self._write({"platform": jax.default_backend()})
        except (OSError, TypeError, ValueError) as fault:  # no JSON: a user's history
            print(f"minikeras run: no report: {fault}", file=sys.stderr)

    def _write(self, more):
        facts = self.facts | more | {
            "seconds": round(time.perf_counter() - self._begin, 3),
            "versions": {
                "minikeras": __version__, "keras": KERAS_VERSION, "jax": jax.__version__
            },
            "trained": self.trained,
        }  # fmt: skip
        text = json.dumps(facts, indent=2, default=float)
        with replace_file(self.path) as file:
            file.write(text.encode())
