"""Run a program with real Keras and with minikeras, and tell where they part."""

import argparse
import json
import os
import signal
import sys

from minikeras.core.printing import print_msg
from minikeras.saving.atomic_files import replace_file

_STATUS = {"same": 0, "rounding": 0, "different": 1, "unrepeatable": 3}
_AGAINST = ("keras-jax", "keras-tensorflow", "keras-torch", "tf_keras")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Args:
        parser: that of the subcommand.
    """
    parser.usage = "minikeras parity [options] (SCRIPT | -m MODULE) [arguments …]"
    parser.add_argument("--against", choices=_AGAINST, default=_AGAINST[0])
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1e-5,
        help="relative difference of results that counts as rounding (1e-5)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="both begin with set_random_seed (0)"
    )
    parser.add_argument(
        "--no-seed",
        dest="seed",
        action="store_const",
        const=None,
        help="the program seeds itself",
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        help="train, evaluate and predict for at most N batches, one epoch each",
    )
    parser.add_argument(
        "--every-step",
        action="store_true",
        help="compare step by step also where the whole runs agree",
    )
    parser.add_argument("--python", help="the Python that has the other package")
    parser.add_argument(
        "--report", metavar="FILE.html", help="write a page with both loss curves"
    )
    parser.add_argument("--json", metavar="FILE.json", help="write what was found")
    parser.add_argument("-m", dest="is_module", action="store_true", help="a module")
    parser.add_argument("script", help="a .py or .ipynb file, or with -m a module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def run(args: argparse.Namespace) -> int:
    """Run the program with both, and print the first place where they part.

    Args:
        args: of `add_arguments`.

    Returns:
        0 if nothing parts by more than rounding, 1 if something does, 2 if the program
        fails on both sides or uses no model, 3 if it does not repeat itself.

    Raises:
        ImportError: the other package is not installed.
        OSError: the script cannot be read, a report cannot be written.
        ValueError: a tolerance that is none.
    """
    from minikeras.parity.report import write_report
    from minikeras.parity.script import run_script

    for path in filter(None, (args.report, args.json)):
        if not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
            raise OSError(f"{path}: its folder is not there, or not writable.")
    # Ended by a signal, too, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    verdict = run_script(
        args.script,
        args.arguments,
        args.against,
        seed=args.seed,
        tolerance=args.tolerance,
        every_step=args.every_step,
        max_steps=args.max_steps,
        is_module=args.is_module,
        python=args.python,
        progress=lambda text: print(f"minikeras parity: {text}", file=sys.stderr),
    )
    print_msg(str(verdict))
    if args.report is not None:
        write_report(verdict, args.report)
    if args.json is not None:
        with replace_file(args.json) as file:
            file.write(json.dumps(verdict.to_json(), indent=2).encode())
    return _STATUS.get(verdict.kind, 2)
