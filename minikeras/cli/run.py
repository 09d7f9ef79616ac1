"""Run a script or notebook written for Keras or tensorflow.keras."""

import argparse
import builtins
import contextlib
import linecache
import os
import runpy
import sys
import traceback
import types

from minikeras import config, utils
from minikeras.legacy import notebook


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Args:
        parser: that of the subcommand.
    """
    parser.usage = "minikeras run [options] (SCRIPT | -m MODULE) [arguments …]"
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
    parser.add_argument("script", help="a .py or .ipynb file, or with -m a module")
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
    _follow_old_rules(parts)
    if args.seed is not None:
        utils.set_random_seed(args.seed)
    if args.max_steps is not None:
        config.set_max_epochs(1)
        config.set_max_steps_per_epoch(args.max_steps)
    facts = {"script": args.script, "arguments": args.arguments, "seed": args.seed}
    with _report(args.report, facts):
        sys.argv[:] = [args.script, *args.arguments]
        folder = os.path.dirname(os.path.realpath(args.script))
        sys.path[0] = "" if args.is_module else folder
        facts["status"], facts["error"] = 0, None
        try:
            if args.is_module:
                runpy.run_module(args.script, run_name="__main__", alter_sys=True)
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


def _code(path):
    """[(name for tracebacks, Python)] of a script, or of each cell of a notebook."""
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
    main.__dict__.update(__file__=path, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    is_notebook = path.endswith(".ipynb")
    for name, source in parts:
        if is_notebook:  # a script is read from its file
            lines = source.splitlines(keepends=True)
            linecache.cache[name] = (len(source), None, lines, name)
        compiled = (
            notebook.compile_cell(source, name)
            if is_notebook
            else [compile(source, name, "exec", dont_inherit=True)]
        )
        for code in compiled:
            exec(code, main.__dict__)


def _follow_old_rules(parts):
    """Train as Keras 1 and 2 did if the program uses their names."""
    from minikeras.legacy import old_rules
    from minikeras.legacy.source import findings

    for name, source in parts:
        with contextlib.suppress(SyntaxError, ValueError):  # shown when it is compiled
            if any(finding.kind == "old" for finding in findings(source, name)):
                old_rules.install(always=True)
                return


def _print_traceback(error):
    """Print an exception as Python would, without the frames of this file."""
    here = error.__traceback__
    ours = (__file__, "<frozen runpy>")
    while here is not None and here.tb_frame.f_code.co_filename in ours:
        here = here.tb_next
    error.__traceback__ = here
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(error)  # knows the lines of cells
    else:
        sys.excepthook(type(error), error, here)
