"""Vocabularies as text files: one token a line."""

import os
from typing import Any

from minikeras.core.serialization import in_safe_mode

FILE_NAME = "vocabulary.txt"


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a look-up; ValueError if it names a file to be opened.

    Configs of Keras hold no path; one that does could read any file of the machine, or
    fetch an address (CVE-2025-12058).
    """
    path = config.get("vocabulary")
    if isinstance(path, str) and in_safe_mode():
        raise ValueError(
            "Requested the loading of a vocabulary file outside of the model archive: "
            f"the config names {path!r}. If you trust who made it, pass `safe_mode="
            "False` to the loading function, or call "
            "`keras.config.enable_unsafe_deserialization()`."
        )
    return config


def read(path: Any, size: int | None = None, encoding: str = "utf-8") -> list[str]:
    """The lines of a file, without blank ones at its end: `size` of them if known."""
    if not os.path.isfile(path):
        raise ValueError(f"Vocabulary file {path} does not exist.")
    with open(path, encoding=encoding) as file:
        lines = file.read().split("\n")
    while lines and not lines[-1] and len(lines) > (size or 0):
        lines.pop()
    return lines


def write(path: Any, tokens: list[Any]) -> None:
    """Write tokens, one a line; ValueError if one of them has a line break."""
    texts = [str(token) for token in tokens]
    # `splitlines`, as Keras reads: it also cuts at \r, \x0b, U+2028 …
    if wrong := [t for t in texts if t and t.splitlines() != [t]]:
        raise ValueError(
            f"The vocabulary has tokens with line breaks, {wrong[:3]}, which a file of "
            "one token a line cannot hold. Remove them before `adapt`, or pass the "
            "list to the constructor as `vocabulary=`: then the config holds it."
        )
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(texts))
