"""Which tests there are: those in the wheel, and those that a change concerns."""

import ast
import fnmatch
import importlib.util
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Only of other backends, of the export to other runtimes, or of several processes.
EXCLUDED_FILES = [
    "backend/tensorflow/*",
    "backend/torch/*",
    "backend/openvino/*",
    "backend/numpy/*",
    "backend/jax/jax_multi_process_distribution_test.py",
    "backend/common/backend_utils_test.py",  # of a helper that the shim runs as it is
    "trainers/data_adapters/tf_dataset_adapter_test.py",
    "trainers/data_adapters/torch_data_loader_adapter_test.py",
    "utils/torch_utils_test.py",
    "export/*",
]
# Patterns of ids; the first that matches decides, "!" keeps. Most tests of applications
# download weights, or build models for minutes.
EXCLUDED_TESTS = [
    *(
        f"!applications/applications_test.py::*_{kind}*_{model}_channels_*"
        for kind in ("classifier", "notop", "pooling")
        for model in ("MobileNet", "MobileNetV3Small")
    ),
    "applications/applications_test.py::*",
]

# A change of these concerns everything; so many tests are a sample.
_SAMPLE = [
    "layers/core/*",
    "layers/layer_test.py",
    "models/*",
    "trainers/trainer_test.py",
]
_IMAGE_LAYERS = "layers/preprocessing/image_preprocessing/*"
# (regular expression of a changed file of minikeras, patterns of test files): the first
# that fits decides. A file without a row concerns the tests in the folder of its name.
_CONCERNS = [
    (r"core/dtype.*", ["dtype_policies/*", "backend/common/dtypes_test.py", *_SAMPLE]),
    (r"core/variable\.py", ["backend/common/variables_test.py", *_SAMPLE]),
    (r"core/.*|layers/[^/]*|[^/]*", _SAMPLE),
    (r"training/.*", ["trainers/*", "models/*"]),
    (r"data/.*", ["trainers/data_adapters/*", "utils/*dataset_utils_test.py"]),
    (r"layers/recurrent/.*", ["layers/rnn/*"]),
    (r"layers/kernels/.*", ["layers/core/*", "quantizers/*"]),
    (r"layers/preprocessing/image/.*", [_IMAGE_LAYERS]),
    (r"ops/(box|host|image_(enhance|layout|moves)).*", [_IMAGE_LAYERS]),
    (r"ops/.*(convolution|dilated).*", ["ops/nn_test.py::*conv*"]),
    (r"ops/(linalg|decompositions)\.py", ["ops/linalg_test.py"]),
    (r"ops/(hashing|mel)\.py", ["layers/preprocessing/[hm]*"]),
    (r"utils/feature_space\.py", ["layers/preprocessing/feature_space_test.py"]),
    (r"mixed_precision/.*", ["dtype_policies/*"]),
    (r"(cli|parity|visualization)/.*", []),
]


def find_suite():
    """The `keras/src` folder of the installed Keras, which is not imported.

    Raises:
        SystemExit: Keras is not installed.
    """
    spec = importlib.util.find_spec("keras")
    if spec is None:
        raise SystemExit("keras is not installed: pip install keras==3.15.1")
    return Path(spec.origin).parent / "src"


def test_files(suite, only=()):
    """Test files that count, as sorted paths below the suite.

    Args:
        suite: the `keras/src` folder.
        only: patterns of files, or of ids (`file::test`); empty: all.
    """
    files = (p.relative_to(suite).as_posix() for p in suite.rglob("*_test.py"))
    chosen = [pattern.partition("::")[0] for pattern in only] or ["*"]
    return sorted(f for f in files if matches(f, chosen) and not excluded(f))


def matches(name, patterns):
    """Does one of the patterns fit the name?"""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def whole_files(files, only):
    """Those of the files all of whose tests run, none chosen."""
    patterns = [p for p in only if "::" not in p]
    return {f for f in files if not only or matches(f, patterns)}


def excluded(file):
    """Is it a file whose tests do not concern a package on JAX?"""
    return matches(file, EXCLUDED_FILES)


def concerned(changed, suite):
    """Patterns of the test files that changed files concern.

    Args:
        changed: paths below the root of the repository.
        suite: the `keras/src` folder.
    """
    patterns = set()
    for path in changed:
        if path.startswith("compat/conformance/"):
            patterns |= {"activations/*", "layers/core/*"}
        elif path.startswith("minikeras/") and path.endswith(".py"):
            patterns |= set(_concerns(path.removeprefix("minikeras/"), suite))
    return sorted(patterns)


def _concerns(path, suite):
    for pattern, tests in _CONCERNS:
        if re.fullmatch(pattern, path):
            return tests
    if path.startswith("ops/"):
        # All of them take half an hour: the tests that have the names of its ops.
        names = _names(ROOT / "minikeras" / path)
        texts = {p.name: p.read_text() for p in (suite / "ops").glob("*_test.py")}
        return [
            f"ops/{file}::*test_{name}*"
            for file, text in texts.items()
            for name in names
            if f"def test_{name}" in text
        ] or ["ops/core_test.py", "ops/linalg_test.py"]
    folders = [folder.as_posix() for folder in Path(path).parents[:-1]]
    return [f"{f}/*" for f in folders if any((suite / f).glob("*_test.py"))][:1]


def _names(file):
    """What the `__all__` of a file lists, but for names from elsewhere."""
    for node in ast.parse(file.read_text()).body if file.exists() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def changed_files(ref=None):
    """Files that differ from a commit, with those not yet committed.

    Args:
        ref: a commit. None: where this branch left `main`; on `main` itself, the
            commit before the last.
    """
    if ref is None:
        ref, head = _git("merge-base", "HEAD", "main"), _git("rev-parse", "HEAD")
        if not ref or ref == head:
            ref = "HEAD~1"
    new = _git("ls-files", "--others", "--exclude-standard")
    return sorted(
        {*_git("diff", "--name-only", ref).split("\n"), *new.split("\n")} - {""}
    )


def _git(*args):
    """Output of a git command; "" where the commit is not known."""
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True)
    if done.returncode and args[0] == "diff":
        raise SystemExit(f"no such commit to compare with: {done.stderr.strip()}")
    return done.stdout.strip()
