"""The rules of the architecture, as tests."""

import ast
import functools
import json
import pathlib
import subprocess
import sys
import tokenize

import pytest

import minikeras as keras

ROOT = pathlib.Path(keras.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A room imports only rooms of its own line or above it, in functions too.
LINES = (
    ("settings", "compilation_cache", "version"),
    ("core",),
    ("ops", "tree"),
    ("random", "initializers", "activations", "regularizers", "constraints"),
    ("dtype_policies", "layers", "losses", "metrics", "optimizers", "data"),
    ("callbacks", "training", "saving", "mixed_precision"),
    ("models",),
    (
        "utils",
        "applications",
        "backend",
        "config",
        "datasets",
        "legacy",
        "preprocessing",
        "visualization",
        "wrappers",
    ),
    ("parity",),
    ("cli",),
    ("__main__",),
)
RANK = {room: i for i, line in enumerate(LINES) for room in line}
MAX_FILE, MAX_FUNCTION = 500, 40
# Lines of each room at most.
BUDGETS = {
    "activations": 270, "applications": 4000, "backend": 100, "callbacks": 4700,
    "cli": 700,
    "constraints": 250, "core": 6800, "data": 4950, "datasets": 1300,
    "dtype_policies": 460,
    "initializers": 920, "layers": 17850, "legacy": 9400, "losses": 2100,
    "metrics": 3100, "mixed_precision": 50, "models": 4300, "ops": 11000,
    "optimizers": 4000, "parity": 3600, "preprocessing": 80, "random": 820,
    "regularizers": 300,
    "saving": 5650,
    "training": 7100, "tree": 60, "utils": 620, "visualization": 2130,
    "wrappers": 450,
    "files at the top": 640,
}  # fmt: skip
# Keras has 195,000 lines, without parity, command line and stand-in for
# TensorFlow. Without docstrings, comments and blank lines: 55,200 of ours, of which
# 2,400 stand in for TensorFlow and 2,400 are parity; 124,900 of Keras's.
MAX_PACKAGE = 95_900


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


class _WithoutTypes(ast.NodeTransformer):
    """Drops `if TYPE_CHECKING:`, whose imports never run."""

    def visit_If(self, node):
        self.generic_visit(node)
        if getattr(node.test, "id", "") == "TYPE_CHECKING":
            return node.orelse
        return node


@functools.cache
def tree(path):
    return _WithoutTypes().visit(ast.parse(path.read_text()))


def imported_modules(path, top_level_only=False):
    """Names of the modules that a file imports."""
    nodes = tree(path).body if top_level_only else ast.walk(tree(path))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "minikeras":
                yield from (f"minikeras.{a.name}" for a in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_upwards(path):
    if path == ROOT / "__init__.py":
        return
    own = RANK[room(path)]
    for module in imported_modules(path):
        parts = module.split(".")
        if parts[0] == "minikeras" and len(parts) > 1:
            other = parts[1]
            assert other in RANK, f"{module}: give the room {other} a line in LINES"
            assert RANK[other] <= own, f"{path.name} imports {module}, a room below it"


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_file_imports_itself_through_others():
    files = {module_name(path): path for path in FILES}
    imports = {}
    for name, path in files.items():
        found = set()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (inner & {*files}) or {node.module} & {*files}
        imports[name] = found
    # Take away files that import none of the others, until only circles are left.
    while free := [name for name, found in imports.items() if not found & {*imports}]:
        for name in free:
            del imports[name]
    assert not imports, f"import each other, or files that do: {sorted(imports)}"


def test_every_room_has_a_line():
    rooms = {room(p) for p in FILES} - {"__init__"}
    assert rooms <= set(RANK)


def test_nothing_imports_keras_or_another_backend():
    foreign = {"keras", "tensorflow", "torch", "flax", "equinox"}
    for path in FILES:
        # A layer of Flax modules may import Flax, where it is used.
        top_level_only = path.name == "flax_layer.py"
        for module in imported_modules(path, top_level_only):
            assert module.split(".")[0] not in foreign, f"{path}: {module}"


def code_lines(node, text):
    """Lines of a function without its docstring, comments and blank lines."""
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body:
        return 0
    lines = text[body[0].lineno - 1 : node.end_lineno]
    stripped = (line.strip() for line in lines)
    return sum(bool(line) and not line.startswith("#") for line in stripped)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_lengths(path):
    text = path.read_text().splitlines()
    if path.name == "__init__.py":
        return  # a list of public names
    assert len(text) <= MAX_FILE, f"{path.name} has {len(text)} lines: split it"
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = code_lines(node, text)
            assert length <= MAX_FUNCTION, f"{node.name} has {length} lines of code"


# Private members that several rooms share: Keras's own name, what graphs and files are
# made of, how a Variable is handed to a loop. `training/protocol.py` lists the rest.
SHARED = {
    "_keras_history",
    "_mk_inbound_nodes",
    "_mk_init_arguments",
    "_mk_remat",
    "_mk_check_store",
    "_mk_flatten_layers",
    "_mk_own_metrics",
    "_mk_own_variables",
    "_mk_seed_generators",
    "_initially_trainable",
    "_own_array",
}
# Of Python itself.
STANDARD = {
    "_replace",
    "_make",
    "_fields",
    "_asdict",
    "_getframe",
    "_DummyThread",
    "_empty",
}


def defined_names(path):
    """Names of functions, classes, attributes and variables that a file defines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Name, ast.Attribute)):
            if isinstance(node.ctx, ast.Store):
                yield getattr(node, "attr", getattr(node, "id", None))


def private_members(path):
    """(name, line) of private members of other objects that a file reads."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
            continue
        owner = getattr(node.value, "id", "")
        is_super = isinstance(node.value, ast.Call) and (
            getattr(node.value.func, "id", "") == "super"
        )
        if not node.attr.startswith("__") and owner not in ("self", "cls"):
            if not is_super:
                yield node.attr, node.lineno


def test_no_room_reads_private_members_of_another():
    own = {}
    for path in FILES:
        own.setdefault(room(path), set()).update(defined_names(path))
    protocol = set(defined_names(ROOT / "training" / "protocol.py"))
    allowed = SHARED | STANDARD | protocol
    for path in FILES:
        for name, line in private_members(path):
            where = f"{path.relative_to(ROOT)}:{line}"
            assert name in allowed | own[room(path)], f"{where} reads {name}"


# Lines with a comment, of 100 lines of code.
DENSITY = {"core": 6, "ops": 6, "training": 6}


@pytest.mark.parametrize("name", DENSITY)
def test_comments_say_why(name):
    comments = code = 0
    for path in FILES:
        if room(path) != name:
            continue
        with path.open("rb") as file:
            tokens = list(tokenize.tokenize(file.readline))
        comments += len({t.start[0] for t in tokens if t.type == tokenize.COMMENT})
        lines = path.read_text().splitlines()
        docs = docstring_lines(path)
        code += sum(
            bool(line.strip()) and not line.strip().startswith("#")
            for i, line in enumerate(lines, 1)
            if i not in docs
        )
    density = 100 * comments / code
    assert density >= DENSITY[name], f"{density:.1f} comments in 100 lines of {name}"


def docstring_lines(path):
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found |= {*range(first.lineno, first.end_lineno + 1)}
    return found


def test_one_context_variable():
    made = [
        path
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "ContextVar"
    ]
    assert made == [ROOT / "core" / "bridge.py"]


def test_only_training_knows_jit():
    # `ops` and metrics may compile small helpers; nobody else compiles steps.
    allowed = {"training", "ops", "metrics", "random", "initializers"}
    for path in FILES:
        calls = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute) and node.attr == "jit"
        ]
        assert not calls or room(path) in allowed, path


# What a process does that has never trained: the files that its `fit` enters, and the
# frames from `fit` to `dense()` while the step is traced.
COLD_FIT = """
import json, pathlib, sys
import numpy as np
import minikeras as keras
from minikeras.layers.core import dense as dense_file

root = str(pathlib.Path(keras.__file__).parent)
layers = [keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(2)]
model = keras.Sequential(layers)
model.compile("sgd", "mse")
x, y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
entered, chains = set(), []

def profile(frame, event, _):
    if event != "call" or not frame.f_code.co_filename.startswith(root):
        return
    entered.add(frame.f_code.co_filename)
    if frame.f_code is dense_file.dense.__code__:
        chain = []
        while frame is not None:
            if frame.f_code.co_filename.startswith(root):
                chain.append((frame.f_code.co_name, frame.f_code.co_filename))
            frame = frame.f_back
        chains.append(chain)

sys.setprofile(profile)
model.fit(x, y, verbose=0)
sys.setprofile(None)
print(json.dumps([sorted(entered), chains]))
"""


def test_a_cold_fit_enters_few_files_and_reaches_dense_in_few_frames():
    run = [sys.executable, "-c", COLD_FIT]
    answer = subprocess.run(run, capture_output=True, text=True, check=True)
    entered, chains = json.loads(answer.stdout.splitlines()[-1])
    names = [[name for name, _ in chain] for chain in chains]
    steps = [
        chain
        for chain, found in zip(chains, names, strict=True)
        if "fit" in found and "loss_fn" in found
    ]
    assert steps, "fit did not pass through dense()"
    shortest = min(steps, key=len)
    assert len(shortest) <= 10, shortest
    assert len({file for _, file in shortest}) <= 7, shortest
    assert len(entered) <= 48, entered
    lines = sum(len(pathlib.Path(file).read_text().splitlines()) for file in entered)
    assert lines <= 10_500, f"{lines} lines in the files that a cold fit enters"


def test_budgets(capsys):
    used = dict.fromkeys(BUDGETS, 0)
    for path in FILES:
        name = room(path) if path.parent != ROOT else "files at the top"
        used[name] += len(path.read_text().splitlines())
    whole = sum(used.values())
    with capsys.disabled():
        print(
            f"\nminikeras: {whole} lines in {len(FILES)} files, at most {MAX_PACKAGE}"
        )
    over = {name: n for name, n in used.items() if n > BUDGETS[name]}
    assert not over, f"more lines than in BUDGETS: {over}"
    assert whole <= MAX_PACKAGE
