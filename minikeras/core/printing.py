"""Text for the user: where it goes, and what columns and colours are shown there."""

import logging
import os
import re
import shutil
import sys
import unicodedata
from typing import Any

from minikeras.settings import is_interactive_logging_enabled

# Colours and other control sequences of terminals, after ECMA-48: they take no column.
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def print_msg(message: str, line_break: bool = True) -> None:
    """Write to standard output, or to the `minikeras` logger.

    `keras.config.enable_interactive_logging` chooses standard output, its opposite the
    logger. Characters that the terminal cannot show are replaced.

    Args:
        message: the text.
        line_break: does the line end after it?
    """
    if not is_interactive_logging_enabled():
        logging.getLogger("minikeras").info(message)
        return
    text = f"{message}\n" if line_break else message
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # Windows, or LANG=C: bars have characters beyond ASCII
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def is_terminal(stream: Any = None) -> bool:
    """Is the stream (standard output by default) a terminal?"""
    stream = sys.stdout if stream is None else stream
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # not a file, or a closed one
        return False


def medium(stream: Any = None) -> str:
    """How standard output, or another stream, shows what changes.

    Returns:
        "terminal": a line can be drawn over; "notebook": an output can be replaced;
        "lines": what is written stays, as in a file or pipe.
    """
    stream = sys.stdout if stream is None else stream
    # What a kernel shows goes through its own stream. A cell may have set another one.
    if type(stream).__module__ == "ipykernel.iostream":
        return "notebook"
    return "terminal" if is_terminal(stream) else "lines"


def shows_colours(stream: Any = None) -> bool:
    """Does the stream show ANSI colours?

    On terminals and in notebooks, unless the environment has `NO_COLOR`
    (https://no-color.org) or `TERM=dumb`.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream) or "ipykernel" in sys.modules


def columns(stream: Any = None) -> int | None:
    """The present width of the stream's terminal; None if it is no terminal.

    If `COLUMNS` in the environment is smaller, it counts. If it is larger, it is out of
    date: somebody has made the window narrower.
    """
    stream = sys.stdout if stream is None else stream
    if not is_terminal(stream):
        return None
    variable = os.environ.get("COLUMNS", "")
    try:
        own = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # no file descriptor
        own = 0
    named = int(variable) if variable.isdecimal() else 0
    known = [size for size in (own, named) if size > 0]
    return min(known) if known else shutil.get_terminal_size().columns


def width(text: str) -> int:
    """Columns that the text takes: without ANSI sequences, wide characters twice."""
    plain = _SEQUENCE.sub("", text)
    return len(plain) if plain.isascii() else sum(map(_columns_of, plain))


def cut(text: str, size: int) -> str:
    """Shorten the text to `size` columns; all ANSI sequences stay."""
    if width(text) <= size:
        return text
    # A sequence that ends a colour must not be lost with the text before it.
    kept, room, at = [], size, 0
    for sequence in _SEQUENCE.finditer(text):
        piece, room = _fitting(text[at : sequence.start()], room)
        kept += [piece, sequence.group()]
        at = sequence.end()
    return "".join([*kept, _fitting(text[at:], room)[0]])


def _fitting(text, room):
    """(the beginning of the text that fits, the room left after it)."""
    for i, character in enumerate(text):
        if _columns_of(character) > room:
            return text[:i], 0
        room -= _columns_of(character)
    return text, room


def _columns_of(character):
    """Columns of a character, after Unicode's East Asian width."""
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
