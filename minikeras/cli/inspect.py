"""Tell what a file holds, without running or building anything of it."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from minikeras.core.printing import print_msg
from minikeras.saving.inspection import inspect_file

# Lines of each list, and characters of a line and of a cell, at most: a file may hold
# names of any length. `--json` has all.
_LONGEST, _WIDEST, _WIDEST_CELL = 1000, 2000, 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("file", help="file or folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--values", action="store_true", help="read the weights; name NaN and infinity"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        0 for a file that is fine, 1 for a suspicious one, 2 for an unreadable one.
    """
    report = inspect_file(args.file, values=args.values)
    if args.json:
        print_msg(json.dumps(report, indent=2))
    else:
        print_msg("\n".join(printable(line[:_WIDEST]) for line in lines(report)))
    return report["status"]


def printable(text: str) -> str:
    r"""Escape what a terminal would obey; names in a file are anybody's.

    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in text
    )


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Generate the lines that tell a report of `inspect_file`."""
    size = "" if report["size"] is None else f", {report['size']:,} bytes"
    yield f"{report['file']}: {report['kind']}{size}"
    yield from (f"{key}: {value}" for key, value in report["versions"].items())
    if model := report["model"]:
        yield f"model: {model['class']} {model['name'] or ''}".rstrip()
    if rows := [*report["layers"], *report["others"]]:
        yield ""
        yield from _table(rows)
        yield ""
    if report["totals"]["weights"]:
        yield f"weights: {_count(report['totals'])}"
    if report["optimizer"]:
        yield f"optimizer: {_count(report['optimizer'])}"
    compiled = report["compile_config"]
    for key, value in compiled.items() if isinstance(compiled, dict) else ():
        if value not in (None, [], {}):
            yield f"compiled with {key}: {_brief(value)}"
    yield from (f"asset: {x['name']}, {x['size']:,} bytes" for x in report["assets"])
    for label in ("custom", "suspicious"):
        yield from (f"{label}: {text}" for text in report[label][:_LONGEST])
    if report["error"]:
        yield f"unreadable: {report['error']}"


def _table(rows):
    """Lines of a table of layers, and of objects that are no layers of the config."""
    cells = [("Layer", "Class", "Dtype", "Parameters", "Weights")]
    for row in rows[:_LONGEST]:
        name = "  " * row.get("depth", 0) + _name(row)
        texts = (name, row.get("class", ""), row.get("dtype") or "")
        texts = (text[:_WIDEST_CELL] for text in texts)
        shapes = ", ".join(map(_shape, row["weights"][:_WIDEST_CELL]))
        cells.append((*texts, f"{row['parameters']:,}", shapes))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for *texts, count, shapes in cells:
        left = (f"{text:{n}}" for text, n in zip(texts, widths, strict=False))
        yield "  ".join([*left, f"{count:>{widths[3]}}", shapes]).rstrip()
    if len(rows) > _LONGEST:
        yield f"… and {len(rows) - _LONGEST:,} more"


def _name(row):
    """Name of a layer; the path of an object, and its name if the path has another."""
    if "depth" in row or not row["path"]:
        return row["name"] or "(the model)"
    own = row["path"].rpartition("/")[2]
    return row["path"] + (f" ({row['name']})" if row["name"] not in ("", own) else "")


def _shape(weight):
    """Type and shape of a weight, such as `float32[3, 4]`."""
    return f"{weight['dtype']}{weight['shape']}"


def _count(totals):
    kinds = ", ".join(f"{n:,} {dtype}" for dtype, n in totals["by_dtype"].items())
    return f"{totals['parameters']:,} parameters in {totals['weights']:,} ({kinds})"


def _brief(value):
    """A value of a config in a few words: objects by their class and numbers."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        inner = inner.items() if isinstance(inner, dict) else ()
        numbers = [f"{k}={v!r}" for k, v in inner if type(v) in (int, float)]
        return f"{value['class_name']}({', '.join(numbers)})"
    return json.dumps(value)
