"""List what scripts use of Keras and TensorFlow that is old or missing here."""

import argparse
import os
import sys
from collections.abc import Iterator

from minikeras import utils
from minikeras.core.printing import print_msg
from minikeras.legacy import notebook

# Python's parser gives up on deep expressions with the latter two.
_UNREADABLE = (SyntaxError, ValueError, OSError, RecursionError, MemoryError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Args:
        parser: that of the subcommand.
    """
    parser.add_argument(
        "paths", nargs="+", help="scripts, notebooks, or folders of such"
    )
    parser.add_argument(
        "--strict", action="store_true", help="old names count as missing ones do"
    )


def run(args: argparse.Namespace) -> int:
    """Read the programs, without running them.

    Args:
        args: of `add_arguments`.

    Returns:
        0 if all they use is here, 1 if something is missing, 2 if one is unreadable.
    """
    utils.install_as_keras()
    from minikeras.legacy.source import findings

    resolved = {}
    status, counts = 0, {"files": 0, "missing": 0, "old": 0, "different": 0}
    for path in _files(args.paths):
        counts["files"] += 1
        try:
            found = [
                (name, finding)
                for name, source in _sources(path)
                for finding in findings(source, name, resolved)
            ]
        except _UNREADABLE as error:
            what = str(error) or type(error).__name__
            print(f"{path}: cannot be read: {what}", file=sys.stderr)
            status = 2
            continue
        for name, finding in found:
            counts[finding.kind] += 1
            line = f"{name}:{finding.line}: {finding.kind}: {finding.name}: "
            print_msg(line + finding.text)
    print_msg(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    bad = counts["missing"] + (counts["old"] if args.strict else 0)
    return status or int(bad > 0)


def _files(paths) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, inside, names in os.walk(path):
            inside[:] = sorted(x for x in inside if not x.startswith("."))
            for name in sorted(names):
                file = os.path.join(folder, name)
                if not name.endswith((".py", ".ipynb")):
                    continue
                if os.path.isfile(file):
                    yield file
                else:  # a pipe would be waited for without end
                    print(f"{file}: skipped: no regular file", file=sys.stderr)


def _sources(path):
    with open(path, "rb") as file:
        content = file.read()
    if path.endswith(".ipynb"):
        cells = notebook.cells(content.decode(), path)
        return [(cell.name, cell.source) for cell in cells]
    return [(path, content)]
