"""The command `minikeras`: finds the subcommand, and says what went wrong."""

import argparse
import sys
from collections.abc import Sequence

from minikeras.cli import check, convert, inspect, parity, run
from minikeras.version import __version__

_COMMANDS = {
    "check": check,
    "convert": convert,
    "inspect": inspect,
    "parity": parity,
    "run": run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Args:
        arguments: what follows the command's name, by default those of the process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="minikeras", description="Work with models and their files."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in _COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
    args = parser.parse_args(arguments)
    try:
        return _COMMANDS[args.command].run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"minikeras {args.command}: {error}", file=sys.stderr)
        return 2
