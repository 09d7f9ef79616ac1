"""Where the wall time of some steps went, from a trace of JAX's profiler.

The trace says when each operation of a compiled program ran. The program's text says
which code each operation is from: `op_name="jit(f)/transpose(jvp(dense_1))/…"`, where
`Layer.__call__` has named `dense_1`, and `transpose` stands for the backward pass.
"""

import collections
import glob
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax

from minikeras.training.equations import layer_names

# Spans of the host carry it in the trace.
PREFIX = "minikeras:"
WINDOW = f"{PREFIX}window"
LOOP = "python"  # the loop around the steps, with all other spans in it

_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = ")
_OP_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_REFERENCE = re.compile(r"%([\w.-]+)")
_CALLS = re.compile(r"\bcalls=%?([\w.-]+)")
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.-]+) .*\{$")
# Operations that run others.
_CONTAINERS = ("while", "call", "conditional")
# Of the operations in a fusion, those that take most of its time.
_HEAVY = (" dot(", " convolution(", " scatter(", " reduce(", " reduce-window(")
_BETWEEN = "between operations"


class Operation(NamedTuple):
    """One run of an operation; times in nanoseconds."""

    start: float
    end: float
    program: tuple  # (name of the HLO module, its number)
    name: str


class Trace(NamedTuple):
    """What a trace holds of the window that was measured."""

    operations: list[Operation]
    executing: list[tuple[float, float]]  # times in which a program was running
    spans: list[tuple[float, float, str]]  # of the host, named without `PREFIX`
    window: tuple[float, float]


class Row(NamedTuple):
    """A part of the wall time of a step, in seconds.

    Attributes:
        name: of the layer, or of another part.
        kind: `"layer"`, `"step"` for other parts of the compiled step, `"host"`, or
            `"rest"` for what nobody can tell.
        forward, backward: of a layer; other parts have all in `forward`.
    """

    name: str
    kind: str
    forward: float
    backward: float

    @property
    def total(self):
        """Forward and backward together."""
        return self.forward + self.backward


def read(folder: str) -> Trace:
    """Read the trace that `jax.profiler.start_trace(folder)` has written.

    Raises:
        ValueError: it holds no window.
    """
    files = glob.glob(os.path.join(folder, "**", "*.xplane.pb"), recursive=True)
    operations, executing, spans, ends = [], [], [], {}
    for path in files:
        for plane in jax.profiler.ProfileData.from_file(path).planes:
            for line in plane.lines:
                for event in line.events:
                    _sort_in(event, operations, executing, spans, ends)
    window = next((span[:2] for span in spans if span[2] == WINDOW), None)
    if window is None:
        raise ValueError("the trace of JAX's profiler holds no step.")
    # An operation of a CPU goes on in other threads when the event of its start is
    # over: the event "end: name" says when it was done.
    operations = [
        Operation(start, max(end, ends.get(link, end)), program, name)
        for start, end, program, name, link in operations
    ]
    spans = [(*span[:2], span[2][len(PREFIX) :]) for span in spans if span[2] != WINDOW]
    return Trace(operations, executing, spans, window)


def _sort_in(event, operations, executing, spans, ends):
    """Add an event to one of the lists."""
    name, start = event.name, event.start_ns
    end = start + event.duration_ns
    if name.startswith("end: "):
        ends.update({value: end for key, value in event.stats if key == "_c"})
    elif name.startswith(PREFIX):
        spans.append((start, end, name))
    elif name.startswith("ThunkExecutor::Execute"):
        executing.append((start, end))
    elif "hlo_op" in (stats := dict(event.stats)):
        program = stats.get("hlo_module", ""), stats.get("program_id")
        operations.append((start, end, program, stats["hlo_op"], stats.get("_p")))


def sources(text: str) -> dict[str, str]:
    """{instruction: its `op_name`} of the text of a compiled program.

    A fusion has the name of the product, convolution or sum inside of it: XLA may join
    the sum of a gradient with the update of the weight, which takes less time. A copy
    that XLA has added has the name of what reads it, or else of what it copies.
    """
    names, inside, calls, computation = {}, {}, {}, ""
    operands, readers = {}, collections.defaultdict(list)
    for line in text.splitlines():
        if found := _INSTRUCTION.match(line):
            name, op_name = found[1], _OP_NAME.search(line)
            operands[name] = _REFERENCE.findall(line.split(" = ", 1)[1])
            for operand in operands[name]:
                readers[operand].append(name)
            # Without a primitive at the end, the name is that of a whole function.
            if op_name and not op_name[1].endswith(")"):
                names[name] = _unescaped(op_name[1].split(";")[0])
                heavy = max(map(line.find, _HEAVY)) >= 0
                if "/" in names[name] and (heavy or computation not in inside):
                    inside[computation] = names[name], heavy
            if called := _CALLS.search(line):
                calls[name] = called[1]
        elif found := _COMPUTATION.match(line):
            computation = found[1]
    for name, called in calls.items():
        op_name, heavy = inside.get(called, (None, False))
        if op_name and (heavy or "/" not in names.get(name, "")):
            names[name] = op_name
    return names | {
        name: found
        for name in operands.keys() - names.keys()
        if (found := _nearest(name, names, readers) or _nearest(name, names, operands))
    }


def _unescaped(name):
    """The name as it was written: the text has the bytes of "ö" as octal numbers."""
    if "\\" not in name:
        return name
    return name.encode().decode("unicode_escape").encode("latin-1").decode()


def _nearest(name, names, neighbours):
    """The `op_name` of the nearest instruction that has one, at most 4 steps away."""
    level, seen = [name], {name}
    for _ in range(4):
        level = [x for y in level for x in neighbours.get(y, ()) if x not in seen]
        seen.update(level)
        if found := next((names[x] for x in level if x in names), None):
            return found
    return None


def scope_of(op_name: str) -> tuple[list[str], bool]:
    """(names of the scopes of an operation, is it of the backward pass?)

    >>> scope_of("jit(step)/transpose(jvp(block))/dense/dot_general")
    (['block', 'dense'], True)
    """
    words = re.sub(r"\bjit\([^()]*\)", "", op_name)
    words = re.sub(r"\b(transpose|jvp|vmap|checkpoint)\(", "/", words).replace(")", "/")
    *names, _ = words.split("/")
    return [name for name in names if name], "transpose(" in op_name


def rows(
    trace: Trace, texts: Iterable[tuple[str, str]], model: Any, steps: int
) -> list[Row]:
    """Divide the wall time of a step among layers, other parts, and the host.

    At each moment the time goes to the operations that run, in equal parts; if none
    runs, to what the host does; if nobody knows, to a row of its own. So the rows add
    up to the time that was measured.

    Args:
        trace: of `read`.
        texts: (name of the HLO module, text) of the compiled steps.
        model: the model that ran.
        steps: how many steps the window holds.
    """
    maps = collections.defaultdict(list)
    for module, text in texts:
        maps[module].append(sources(text))
    find = _PartOf(trace, maps, model)
    times = _divided(trace, find)
    found: dict[tuple[str, str], list[float]] = {}
    for (name, kind, is_backward), time in times.items():
        found.setdefault((name, kind), [0.0, 0.0])[is_backward] += time / steps / 1e9
    made = [Row(*key, *parts) for key, parts in found.items()]
    return sorted(made, key=lambda row: -row.total)


class _PartOf:
    """Function (operation) -> (name, kind, is it of the backward pass?)."""

    def __init__(self, trace, maps, model):
        self.model, self.known, self.texts = model, {}, {}
        used = collections.defaultdict(set)
        for operation in trace.operations:
            used[operation.program].add(operation.name)
        # Programs of one name differ in shapes, so in the names of some instructions.
        for program, names in used.items():
            self.texts[program] = max(
                maps.get(program[0], [{}]), key=lambda text: len(names & text.keys())
            )

    def __call__(self, operation):
        key = operation.program, operation.name
        if key not in self.known:
            text = self.texts[operation.program]
            self.known[key] = self._find(text, operation.name)
        return self.known[key]

    def _find(self, text, name):
        if not text:
            return "other programs", "step", False
        names, is_backward = scope_of(text.get(name, ""))
        if layer := layer_names(self.model, names):
            return "/".join(_shown(self.model, layer)), "layer", is_backward
        known = [x for x in names if x in ("loss", "metrics", "optimizer")]
        # The loop of the steps itself has no more to do than to start the operations.
        rest = _BETWEEN if name.startswith(_CONTAINERS) else "rest of the step"
        return (known or [rest])[0], "step", is_backward


def _shown(model, names):
    """The names down to the first layer that is no model: cells stay with their RNN."""
    for i, name in enumerate(names):
        layers = getattr(model, "layers", None)
        if layers is None:
            return names[:i]
        model = next((layer for layer in layers if layer.name == name), None)
    return names


def _divided(trace: Trace, part_of: Callable[[Operation], tuple]) -> dict:
    """{part: nanoseconds} of the window."""
    begin, stop = trace.window
    edges = []  # (time, 1 at the start and 0 at the end, number)
    parts: list[tuple[int, tuple]] = []  # (rank, part); the highest rank gets the time

    def add(start, end, rank, part):
        start, end = max(start, begin), min(end, stop)
        if start < end:
            edges.extend(((start, 1, len(parts)), (end, 0, len(parts))))
            parts.append((rank, part))

    for operation in trace.operations:
        rank = 3 if operation.name.startswith(_CONTAINERS) else 4
        add(operation.start, operation.end, rank, part_of(operation))
    for span in trace.executing:
        add(*span, 2, (_BETWEEN, "step", False))
    for start, end, name in trace.spans:
        add(start, end, 0 if name == LOOP else 1, (name, "host", False))
    edges.sort()
    active, before, times = [set() for _ in range(5)], begin, collections.Counter()
    for time, starts, number in (*edges, (stop, 0, None)):
        if time > before:
            running = next((x for x in reversed(active) if x), None)
            if running is None:
                times["unattributed", "rest", False] += time - before
            for i in running or ():
                times[parts[i][1]] += (time - before) / len(running)
            before = time
        if number is not None:
            group = active[parts[number][0]]
            group.add(number) if starts else group.discard(number)
    return dict(times)
