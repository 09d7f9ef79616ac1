"""What real Keras passes through the shim: the tests that count.

`baseline.txt` holds a line `file number` for each test file, the number of tests that
pass, and below it, indented, the tests that do not: ids, or their beginning and `*`.
A test fails there if it needs private names of Keras, or a package not installed here.
"""

import os
from pathlib import Path

FILE = Path(__file__).with_name("baseline.txt")
_HEAD = """\
# Tests of Keras {version}: how many pass in each file, through the shim, against Keras
# itself; below it, those that do not. `python -m compat.conformance --help` renews it.
"""


class Baseline:
    """Which tests count.

    Args:
        text: content of `baseline.txt`.
    """

    def __init__(self, text):
        self.passes = {}  # file -> number of tests that count
        self._without = {}  # file -> beginnings, or whole ids, of tests that do not
        names = []
        for line in text.splitlines():
            if line.startswith("  "):
                names.append(line.strip())
            elif line and not line.startswith("#"):
                file, _, number = line.rpartition(" ")
                self.passes[file], names = int(number), []
                self._without[file] = names

    def counts(self, test):
        """Does real Keras pass this test? `file::*` counts if any of the file does."""
        file, _, name = test.partition("::")
        if not self.passes.get(file):
            return False
        without = self._without[file]
        return name == "*" or not any(
            name.startswith(p[:-1]) if p.endswith("*") else name == p for p in without
        )


def write(records, version, file=FILE):
    """Write `baseline.txt` from a run against real Keras.

    Args:
        records: {id: {"o": outcome}} of all tests.
        version: of Keras.
        file: where to.
    """
    files = {}
    for test in sorted(records):
        name, _, rest = test.partition("::")
        passes, fails = files.setdefault(name, ([], []))
        (passes if records[test]["o"] == "passed" else fails).append(rest)
    lines = [_HEAD.format(version=version)]
    for name, (passes, fails) in files.items():
        lines.append(f"{name} {len(passes)}\n")
        lines += [f"  {pattern}\n" for pattern in _patterns(fails, passes)]
    file.write_text("".join(lines))


def _patterns(fails, passes):
    """Few beginnings that fit all of `fails` and none of `passes`."""
    patterns, left = [], list(fails)
    while left:
        first = left[0]
        # The shortest beginning of it that no passing test has.
        length = max(
            (len(os.path.commonprefix([first, p])) for p in passes), default=-1
        )
        alike = [t for t in left if t.startswith(first[: length + 1])]
        if length >= len(first) or len(alike) == 1:  # or a passing test continues it
            alike = [first]
        patterns.append(os.path.commonprefix(alike) + "*" * (len(alike) > 1))
        left = [t for t in left if t not in alike]
    return patterns
