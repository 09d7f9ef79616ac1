"""The table of hostile files through all doors, watched: a line of JSON for each.

`python -m tests.saving.hostile.run [--kinds KIND ...] [--only NAME] [--after NUMBER]`
"""

import argparse
import contextlib
import io
import json
import pathlib
import shutil
import tempfile
import time
import traceback
import warnings

import h5py
import numpy as np

import minikeras as keras
from tests.saving.hostile import (
    archives,
    base,
    configs,
    doors,
    model_configs,
    watch,
    weights,
)

ROWS = {**configs.ROWS, **model_configs.ROWS, **weights.ROWS, **archives.ROWS}
KINDS = sorted({row.kind for row in ROWS.values()})
GROWTH = 2 << 30  # bytes of addresses; then a MemoryError
SECONDS = 20  # then the process ends


def cases(kinds, only=()):
    """(row, name of a door) of all rows of these kinds."""
    return [
        (row, name)
        for row in ROWS.values()
        for name in doors.doors_of(row)
        if row.kind in kinds and (not only or row.name in only)
    ]


def fill_outside(outside):
    """Files that a hostile file would like to read."""
    (outside / "secret.txt").write_text("a\nb\nsecret\n" * 20)
    (outside / "secret.json").write_text(json.dumps(base.valid_config()))
    with h5py.File(outside / "secret.h5", "w") as file:
        base.fill_weights(file)
        file["0"] = np.ones((3, 4), "float32")


def warm_up(folder):
    """Read valid files through the doors, so that late imports are done."""
    watch.import_late_ones()
    contents = {"weights": lambda file, where: None, "layer": base.dense()}
    for name, function in doors.DOORS.items():
        for kind in {*function.kinds} & {*contents} if available(name) else ():
            inner = pathlib.Path(tempfile.mkdtemp(dir=folder))
            row = base.Row("valid", kind, None)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    function(row, contents[kind], inner)()
            except Exception as error:
                yield {"row": "valid", "door": name, "error": repr(error)[:300]}


def available(name):
    """Does the package have what the door needs?"""
    return "editor" not in name or hasattr(keras.saving, "KerasFileEditor")


def outcome(call, watched):
    """What became of a call."""
    watch.forget_peak()
    before, begin = watch.peak_bytes(), time.perf_counter()
    error = None
    with watch.time_limit(SECONDS), watched() as events:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                call()
        except Exception as raised:
            error = raised
    found = {
        "error": error and type(error).__name__,
        "message": str(error)[:1000],
        "kinds": error and [cls.__name__ for cls in type(error).__mro__],
        "file": str(getattr(error, "file", "")),
        "seconds": time.perf_counter() - begin,
        "growth": watch.peak_bytes() - before,
        "events": sorted(set(events)),
        "unchanged": doors.targets.unchanged(),
    }
    if error is not None and not isinstance(error, ValueError):
        found["trace"] = traceback.format_exception(error)[-3:]
    doors.targets.reset()
    return found


def main():
    """Print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--only", nargs="+", default=())
    parser.add_argument("--after", type=int, default=0, help="leave out so many cases")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    doors.prepare()
    with tempfile.TemporaryDirectory() as root:
        inside, outside = pathlib.Path(root) / "inside", pathlib.Path(root) / "outside"
        inside.mkdir(), outside.mkdir()
        tempfile.tempdir = str(inside)  # of the package, too
        fill_outside(outside)
        watched = watch.Watch(inside, outside)
        for problem in warm_up(inside):
            print(json.dumps(problem), flush=True)
        doors.targets.reset()
        watch.limit_memory(GROWTH)
        for row, name in cases(options.kinds, options.only)[options.after :]:
            about = {"row": row.name, "door": name}
            print(json.dumps(about | {"begun": True}), flush=True)
            folder = inside / "case"
            folder.mkdir()
            call = available(name) and doors.DOORS[name](row, row.make(outside), folder)
            if call:
                print(json.dumps(about | outcome(call, watched)), flush=True)
            else:
                print(json.dumps(about | {"absent": True}), flush=True)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
