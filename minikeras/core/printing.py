"""Text for the user: where it goes, and what columns and colours are shown there."""

import logging
import os
import re
import shutil
import sys
import unicodedata

from minikeras.settings import is_interactive_logging_enabled

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def print_msg(message, line_break=True):
    """Write to standard output, or to the `minikeras` logger.

    The choice is that of `keras.config.enable_interactive_logging`. Characters the
    terminal cannot show are replaced.
    """
    if not is_interactive_logging_enabled():
        logging.getLogger("minikeras").info(message)
        return
    text = f"{message}\n" if line_break else message
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def is_terminal(stream=None) -> bool:
    """Does somebody watch the stream (standard output by default) on a terminal?"""
    stream = sys.stdout if stream is None else stream
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # not a file, or a closed one
        return False


def shows_colours(stream=None) -> bool:
    """Are ANSI colours shown as such?

    On terminals and in notebooks, unless the environment has `NO_COLOR`
    (https://no-color.org) or `TERM=dumb`.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream) or "ipykernel" in sys.modules


def columns(stream=None) -> int | None:
    """Width of the terminal behind the stream now; None if there is no terminal.

    A window can be narrower than an old `COLUMNS` says: the smaller number counts.
    """
    stream = sys.stdout if stream is None else stream
    if not is_terminal(stream):
        return None
    told = os.environ.get("COLUMNS", "")
    try:
        own = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # no file descriptor
        own = 0
    known = [size for size in (own, int(told) if told.isdecimal() else 0) if size > 0]
    return min(known) if known else shutil.get_terminal_size().columns


def width(text) -> int:
    """Columns that the text takes: without ANSI sequences, wide characters twice."""
    plain = _SEQUENCE.sub("", text)
    return len(plain) if plain.isascii() else sum(map(_columns_of, plain))


def cut(text, size) -> str:
    """The text without what goes beyond `size` columns; ANSI sequences all stay."""
    if width(text) <= size:
        return text
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
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
