"""Tracebacks without the frames between a user's call and what went wrong."""

import pathlib
import types

from minikeras import settings

_ROOT = str(pathlib.Path(__file__).parent.parent)


def shorten(error) -> None:
    """Leave out our frames of an error's traceback, but for the first and the last.

    The first is the function that the user called, the last the place that raised;
    frames of the user's own code stay. `settings.disable_traceback_filtering()` lets
    all stand.
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
    dropped, shortened = set(ours[1:-1]), None
    for i, entry in reversed(list(enumerate(entries))):
        if i not in dropped:
            shortened = types.TracebackType(
                shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno
            )
    error.__traceback__ = shortened


def _is_ours(entry):
    return entry.tb_frame.f_code.co_filename.startswith(_ROOT)
