"""Tracebacks without the library's frames between a user's call and the error."""

import pathlib
import types

from minikeras import settings

_ROOT = str(pathlib.Path(__file__).parent.parent)


def shorten(error: BaseException) -> None:
    """Remove the library's frames from an error's traceback, except two of them.

    The first stays, the function that the user called, and the last, the place that
    raised. Frames of the user's own code stay as well. After
    `settings.disable_traceback_filtering()` nothing is removed.
    """
    if not settings.is_traceback_filtering_enabled():
        return
    entries, entry = [], error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    ours = [i for i, entry in enumerate(entries) if _is_ours(entry)]
    if len(ours) <= 2:
        return
    # New entries are chained from the end. To set `tb_next` of the old ones would also
    # change tracebacks that other code holds already.
    dropped, shortened = set(ours[1:-1]), None
    for i, entry in reversed(list(enumerate(entries))):
        if i not in dropped:
            shortened = types.TracebackType(
                shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno
            )
    error.__traceback__ = shortened


def _is_ours(entry):
    return entry.tb_frame.f_code.co_filename.startswith(_ROOT)
