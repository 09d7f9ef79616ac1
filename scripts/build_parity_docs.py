"""Write docs/parity.md and docs/badges: what compat/gallery/summary.json proves."""

import json
import re
from pathlib import Path

from compat.conformance import baseline, ratchet
from compat.gallery.summary import SUMMARY

ROOT = Path(__file__).parent.parent
TARGET, BADGES = ROOT / "docs" / "parity.md", ROOT / "docs" / "badges"
NOT_RUN = "not run yet"
FAMILY = ["family", "cases", "skipped", "`==`", "last bit", "rounding", "failed"]
WORST = ["family", "difference", "allowed", "test"]
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" role="img">
<title>{label}: {value}</title>
<rect width="{all}" height="20" rx="3" fill="#555"/>
<path d="M{left} 0h{right}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right}z" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14" textLength="{label_length}">{label}</text>
<text x="{value_at}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def badge(label, value, good=True):
    """An SVG of two fields.

    Args:
        label, value: their texts.
        good: whether the second is green; else it is red.
    """
    lengths = [round(6.4 * len(text)) for text in (label, value)]
    left, right = (length + 12 for length in lengths)
    return SVG.format(
        label=label.replace("&", "&amp;"),
        value=value.replace("&", "&amp;"),
        label_length=lengths[0],
        value_length=lengths[1],
        left=left,
        right=right - 3,
        all=left + right,
        value_at=left + 6,
        colour="#2b7d34" if good else "#b3261e",
    )


def number(x):
    """Two digits; 0 is exact."""
    return "0" if x == 0 else f"{x:.1e}".replace("e-0", "e-")


def worst(row):
    """The largest difference of a family, in words for its badge."""
    if row["failed"]:
        return f"{row['failed']} failed"
    largest = max((row[key][0] for key in ("full", "half") if row[key]), default=0)
    return f"worst {largest:.0e}".replace("e-0", "e-") if largest else "all equal"


def rows(families):
    """A line of the table for each family, and of its sum."""
    keys = ("cases", "skipped", "without arrays", "equal", "failed")
    total = {key: sum(row[key] for row in families.values()) for key in keys}
    for name, row in (families | {"**all**": total}).items():
        numbers = [f"{row[key]:,}" for key in keys[:-1]]
        rounded = row["cases"] - row["without arrays"] - row["equal"]
        yield [name, *numbers, f"{rounded:,}", f"{row['failed']}"]


def worst_rows(families, key):
    """A line for each family that has a difference of a precision."""
    for name, row in families.items():
        if row[key] and row[key][0]:
            difference, share, test = row[key]
            test = test.removeprefix("test_").replace("|", "\\|")
            yield [name, number(difference), f"{share:.0%}", f"`{test}`"]


def table(head, lines, right=1):
    """Markdown; the first `right` columns are texts, the others numbers."""
    marks = ["---" if i < right else "--:" for i in range(len(head))]
    cells = [head, marks, *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def conformance():
    """(label, value) of Keras's own tests, and a sentence."""
    counted = baseline.Baseline(baseline.FILE.read_text()).passes
    known = ratchet.read_known(ratchet.FILE.read_text())
    total, failing = sum(counted.values()), sum(map(len, known.values()))
    lines = [[why, str(len(ids))] for why, ids in known.items()]
    told = f"They are {total:,}; {failing} are listed as known to fail."
    value = f"{total - failing:,} of {total:,} pass"
    return value, f"{told}\n\n{table(['why', 'tests'], lines)}"


def scripts():
    """(value of the badge, table) of programs that ran under both packages."""
    found = json.loads(SUMMARY.read_text())["scripts"]
    if not found:
        return NOT_RUN, "None was run yet."
    head = ["script", "against", "verdict", "calls compared", "worst"]
    lines = [
        [f"`{name}`", run["against"], run["kind"], str(run["calls"])]
        + [number(run["worst"])]
        for name, run in found.items()
    ]
    same = sum(run["same"] for run in found.values())
    return f"{same} of {len(found)} the same", table(head, lines, 3)


def differences():
    """(number, table) of the rows of docs/differences.md."""
    page = (ROOT / "docs" / "differences.md").read_text()
    lines = []
    for section in page.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        anchor = re.sub(r"\W+", "-", title.lower())
        count = sum(line.startswith("| ") for line in section.splitlines()) - 1
        lines.append([f"[{title}](differences.md#{anchor})", str(count)])
    return sum(int(count) for _, count in lines), table(["of", "rows"], lines)


def slug(family):
    """The name of a family's badge."""
    return re.sub(r"\W+", "-", family.lower())


def badges():
    """{file name: SVG}."""
    summary = json.loads(SUMMARY.read_text())["families"]
    values = {
        name: (f"{row['cases']:,} cases, {worst(row)}", not row["failed"])
        for name, row in summary.items()
    }
    values["Keras's own tests"] = conformance()[0], True
    values["scripts"] = scripts()[0], True
    return {f"{slug(name)}.svg": badge(name, *value) for name, value in values.items()}


def text() -> str:
    """The whole page."""
    summary = json.loads(SUMMARY.read_text())
    families = summary["families"]
    versions = ", ".join(f"{name} {v}" for name, v in summary["versions"].items())
    count, listed = differences()
    pictures = "\n".join(f"![{name[:-4]}](badges/{name})" for name in badges())
    return f"""# What is proven

{pictures}

Each case is a test that gives Keras on JAX and minikeras the same inputs, weights and
seeds, and compares all that comes out. `make gallery` runs those of `make test`
(`make gallery ARGS='-m "not network"'` all that are generated), and writes this page
and the badges. Run with {versions}, on the CPU.

{table(FAMILY, rows(families))}

*skipped*: Keras takes no such arguments, or is wrong there; nothing is compared, they
are not among the cases. *`==`*: equal texts, configs, shapes, states or errors, no
arrays; for an operation, that it compiles to the very program that Keras's does. *last
bit*: all arrays are equal. *rounding*: some differ, within the tolerance.

## The worst case of each family

A difference is a share of the size of the result: its largest entry, or the size below
which the test's absolute tolerance is what counts. *allowed* says how much of what the
tolerance allows the worst entry used. A family that is not here is equal to the last
bit.

{table(WORST, worst_rows(families, "full"))}

The same of the arrays in bfloat16 and float16:

{table(WORST, worst_rows(families, "half"))}

## The tests of Keras

`make conformance` runs the tests within the installed Keras against minikeras; those
that Keras itself passes through the public names count. {conformance()[1]}

## Whole scripts

`minikeras parity SCRIPT` runs a script under both packages and compares all that
happens. {scripts()[1]}

## Where the answer is not Keras's

{count} differences are listed, each with its reason and its test. The public names that
are missing, or have other parameters, are in [the names of Keras](compatibility.md).

{listed}
"""


def main():
    page, pictures = text(), badges()
    TARGET.write_text(page)
    BADGES.mkdir(exist_ok=True)
    for old in BADGES.glob("*.svg"):
        old.unlink()
    for name, svg in pictures.items():
        (BADGES / name).write_text(svg)
    print(f"{TARGET}: {len(pictures)} badges")


if __name__ == "__main__":
    main()
