"""Tables, in Markdown that reads well in a terminal too, and rows for a file."""

from typing import NamedTuple

from compat.bench.contenders import CONTENDERS
from compat.bench.interleaved import median


class Measure(NamedTuple):
    """How a table shows a measure: its label and unit, and units in a 1 of ours."""

    label: str
    unit: str
    scale: float


MEASURES = {
    "fit": Measure("fit, a step of a warm epoch", "ms", 1e3),
    "evaluate": Measure("evaluate, a step", "ms", 1e3),
    "predict": Measure("predict, a step", "ms", 1e3),
    "predict_one": Measure("predict, one sample", "ms", 1e3),
    "first": Measure("first epoch, building and compiling", "s", 1.0),
    "cached": Measure("the same, programs in the cache", "s", 1.0),
    "import": Measure("import, with its array library", "s", 1.0),
    "build": Measure("building", "s", 1.0),
    "weights": Measure("building and reading the weights", "s", 1.0),
    "peak": Measure("peak memory of fit, host", "MB", 1e-6),
    "device peak": Measure("peak memory of fit, device", "MB", 1e-6),
}


def number(value):
    """Three digits or a few more.

    >>> number(0.04567), number(3.14159), number(1234.5)
    ('0.046', '3.14', '1234')
    """
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def cell(values, scale):
    """ "median (best)", or a dash."""
    if not values:
        return "–"
    return f"{number(median(values) * scale)} ({number(min(values) * scale)})"


def line(label, found, scale, against):
    """Cells of one row: the values, then the ratios of medians, theirs : ours."""
    values = {who: found.get(who, []) for who in ("ours", *against)}
    cells = [label] + [cell(v, scale) for v in values.values()]
    ours = values.pop("ours")
    for theirs in values.values():
        both = ours and theirs
        cells.append(f"{median(theirs) / median(ours):.2f}" if both else "–")
    return cells


def table(title, against, lines):
    """Print lines under a head."""
    names = [CONTENDERS[who].title for who in against]
    head = [title, "ours", *names, *(f"{name} : ours" for name in names)]
    lines = [head, *lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    print()
    for cells in (lines[0], rule, *lines[1:]):
        padded = [cells[0].ljust(widths[0])]
        padded += [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
        print("| " + " | ".join(padded) + " |", flush=True)


def measures(title, found, against):
    """Print a table of {who: {measure: values}}, a row each measure."""
    lines = []
    for key, (label, unit, scale) in MEASURES.items():
        row = {who: of.get(key, []) for who, of in found.items()}
        if any(row.values()):
            lines.append(line(f"{label}, {unit}", row, scale, against))
    if lines:
        table(title, against, lines)


def rows(workload, policy, found, loops):
    """The same for a file: a dict each number."""
    for who, of in found.items():
        for key, values in of.items():
            if values:
                _, unit, scale = MEASURES[key]
                yield {
                    "workload": workload,
                    "policy": policy,
                    "contender": who,
                    "measure": key,
                    "loop": loops.get(who, ""),
                    "unit": unit,
                    "median": median(values) * scale,
                    "best": min(values) * scale,
                    "values": len(values),
                }
