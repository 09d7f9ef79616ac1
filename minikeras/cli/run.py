"""Run a script or notebook written for Keras or tensorflow.keras."""

import argparse
import asyncio
import builtins
import contextlib
import inspect
import linecache
import os
import runpy
import sys
import traceback
import types

from minikeras import utils
from minikeras.cli import processes
from minikeras.legacy import notebook

_HELP = (
    "a .py or .ipynb file, a folder with __main__.py, - for standard input, or with "
    "-m a module"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Args:
        parser: that of the subcommand.
    """
    parser.usage = "minikeras run [options] (SCRIPT | - | -m MODULE) [arguments …]"
    parser.add_argument("--seed", type=int, help="as keras.utils.set_random_seed")
    parser.add_argument(
        "--max-steps",
        type=_positive,
        metavar="N",
        help="train, evaluate and predict for at most N batches, one epoch each",
    )
    parser.add_argument(
        "--report", metavar="FILE.json", help="write how it ended and what it trained"
    )
    parser.add_argument("-m", dest="is_module", action="store_true", help="a module")
    parser.add_argument("script", help=_HELP)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {number}")
    return number


def run(args: argparse.Namespace) -> int:
    """Run the script with `keras` and `tensorflow.keras` answered by minikeras.

    Args:
        args: of `add_arguments`.

    Returns:
        0; 1 after an exception, whose traceback is printed, 130 after Ctrl-C.
        `SystemExit` passes.

    Raises:
        OSError: the file cannot be read.
        ValueError: a notebook that is none.
    """
    utils.install_as_keras()
    parts = [] if args.is_module else _code(args.script)
    processes.set_up(args.max_steps, is_old=_is_old(parts))
    if args.seed is not None:
        utils.set_random_seed(args.seed)
    facts = {"script": args.script, "arguments": args.arguments, "seed": args.seed}
    with _report(args.report, facts), _watched(facts):
        sys.argv[:] = [args.script, *args.arguments]
        sys.path[0] = "" if args.is_module else _folder(args.script)
        facts["status"], facts["error"] = 0, None
        try:
            if args.is_module:
                runpy.run_module(args.script, run_name="__main__", alter_sys=True)
            elif os.path.isdir(args.script):
                runpy.run_path(args.script, run_name="__main__")
            else:
                _run_parts(args.script, parts)
        except (Exception, KeyboardInterrupt) as error:
            facts["status"] = 130 if isinstance(error, KeyboardInterrupt) else 1
            facts["error"] = f"{type(error).__name__}: {error}"
            _print_traceback(error)
        return facts["status"]


def _report(path, facts):
    if path is None:
        return contextlib.nullcontext()
    from minikeras.legacy.reports import Report

    return Report(path, facts)


def _watched(facts):
    """Tells `minikeras parity` what the program does, if that has started it."""
    if "MINIKERAS_PARITY" not in os.environ:
        return contextlib.nullcontext()
    import minikeras
    from minikeras.parity.side.connection import connect, watched

    return watched(minikeras, connect(), facts)


def _folder(path):
    """Where a program's imports are looked for first."""
    if path == "-":
        return ""
    path = os.path.realpath(path)
    return path if os.path.isdir(path) else os.path.dirname(path)


def _code(path):
    """[(name for tracebacks, Python)] of a script, or of each cell of a notebook."""
    if path == "-":
        return [("<stdin>", sys.stdin.buffer.read())]
    if os.path.isdir(path):
        path = os.path.join(path, "__main__.py")
    with open(path, "rb") as file:
        content = file.read()
    if not path.endswith(".ipynb"):
        return [(path, content)]
    cells = notebook.cells(content.decode(), path)
    if skipped := [line for cell in cells for line in cell.skipped]:
        print(
            f"minikeras run: {path}: {len(skipped)} magics and shell commands are "
            f"skipped, the first is {skipped[0]!r}",
            file=sys.stderr,
        )
    return [(cell.name, cell.source) for cell in cells]


def _run_parts(path, parts):
    """Run Python as the program's main module."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __cached__=None)
    if path != "-":
        main.__file__ = path
    sys.modules["__main__"] = main
    if path.endswith(".ipynb"):
        _run_cells(parts, main.__dict__)
        return
    for name, source in parts:
        exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)


def _run_cells(cells, names):
    names.update(notebook.names_of_shell())
    with asyncio.Runner() as runner:  # tasks of one cell go on in the next
        for name, source in cells:
            lines = source.splitlines(keepends=True)
            linecache.cache[name] = (len(source), None, lines, name)
            codes = notebook.compile_cell(source, name)
            if any(code.co_flags & inspect.CO_COROUTINE for code in codes):
                runner.run(_run_asynchronous(codes, names))
                continue
            for code in codes:  # outside of the loop Ctrl-C ends them at once
                exec(code, names)


async def _run_asynchronous(codes, names):
    for code in codes:
        result = eval(code, names)
        if code.co_flags & inspect.CO_COROUTINE:
            await result


def _is_old(parts):
    """Does the program use names of Keras 1 or 2?"""
    from minikeras.legacy.source import findings

    for name, source in parts:
        # Not Python, or too deep to be read: shown when it is compiled.
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            if any(finding.kind == "old" for finding in findings(source, name)):
                return True
    return False


def _print_traceback(error):
    """Print an exception as Python would, without the frames of this file."""
    here = error.__traceback__
    ours = (__file__, "<frozen runpy>", os.path.dirname(asyncio.__file__))
    while here is not None and here.tb_frame.f_code.co_filename.startswith(ours):
        here = here.tb_next
    error.__traceback__ = here
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(error)  # knows the lines of cells
    else:
        sys.excepthook(type(error), error, here)
