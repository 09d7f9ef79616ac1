"""Warnings about old names, each of which comes once."""

import os
import sys
import warnings

from minikeras.core import naming

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep


def notice(name: str, text: str) -> None:
    """Warn of an old name, the first time that it is used.

    Args:
        name: the old name, such as `"Dense(output_dim=)"`.
        text: what to write today.
    """
    if not naming.first_time("old name", name):
        return
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{name} is of an older Keras: {text}.", stacklevel=level)
