"""What recorded tests and scripts prove: `python -m compat.gallery.summary FILE...`.

It updates summary.json, which docs/parity.md is made from. A FILE is one of the
recorder, or one that `minikeras parity SCRIPT --json FILE.json` wrote; families and
scripts that are in none stay as they were.
"""

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SUMMARY = Path(__file__).with_name("summary.json")
# {family: the files of its tests, compat/test_<name>.py}
FAMILIES = {
    "operations": "ops_parity ops_graphs dtypes_parity backend_parity",
    "layers": "layers_parity numeric_layers_parity text_layers_parity feature_space",
    "layers in half precision": "half_precision",
    "image operations and layers": """image_parity image_layers_boxes
        image_layers_colour image_layers_geometry""",
    "losses": "losses_parity",
    "metrics": "metrics_parity",
    "optimizers": "optimizers_parity",
    "random draws": "random_parity draws",
    "activations, regularizers, constraints, trees": "small_parity",
    "callbacks": "callbacks_parity",
    "training of models": "trajectories wrappers_parity",
    "models from and to Keras": "from_keras",
    "applications": "applications_parity",
    "files": """exchange files graph_files h5_exchange orbax_parity
        file_editor_parity""",
    "data": "data_parity data_files_parity datasets_parity",
    "preprocessing of Keras 2": "old_preprocessing_parity old_texts_parity",
    "pictures of models and data": "model_pictures visualization",
    "planted faults, whole scripts": "parity_faults parity_scripts",
    "names": "api missing_names private_names_parity",
}
VERSIONS = ("keras", "jax", "jaxlib", "numpy", "optax")


def family_of(test):
    """The family of a test's id."""
    stem = Path(test.partition("::")[0]).stem.removeprefix("test_")
    for family, stems in FAMILIES.items():
        if stem in stems.split():
            return family
    raise ValueError(
        f"{test}: its file is of no family; add it to FAMILIES in compat/gallery"
    )


def read(lines):
    """{test: its record}; of a test that ran twice, the last one."""
    return {record["id"]: record for record in map(json.loads, lines)}


def summarize(records):
    """{family: what its tests say}.

    Args:
        records: of all tests, as the recorder writes them.
    """
    found = {}
    for record in records:
        found.setdefault(family_of(record["id"]), []).append(record)
    return {family: _family(of) for family, of in found.items()}


def _family(records):
    """Numbers of cases, and [difference, share of the tolerance, test] of the worst."""
    passed = [r for r in records if r["outcome"] == "passed"]
    arrays = [r for r in passed if r["comparisons"]]
    return {
        "cases": len(passed),
        "skipped": sum(r["outcome"] == "skipped" for r in records),
        "failed": sum(r["outcome"] == "failed" for r in records),
        "comparisons": sum(r["comparisons"] for r in arrays),
        "without arrays": len(passed) - len(arrays),
        "equal": sum(r["equal"] for r in arrays),
        **{key: _worst(arrays, key) for key in ("full", "half")},
    }


def _worst(records, key):
    rows = [(*r[key], r["id"].removeprefix("compat/")) for r in records if key in r]
    if not rows:
        return None
    difference, share, test = max(rows)
    return [float(f"{difference:.1e}"), float(f"{share:.1e}"), test]


def versions():
    """{package: version} of what ran."""
    found = {name: importlib.metadata.version(name) for name in VERSIONS}
    return {"python": platform.python_version(), **found}


def script_row(verdict):
    """(name, row) of what `minikeras parity` found of a script."""
    path = Path(verdict["script"]).resolve()
    name = path.relative_to(ROOT).as_posix() if ROOT in path.parents else path.name
    return name, {
        **{key: verdict[key] for key in ("against", "kind", "same")},
        "calls": len(verdict["calls"]),
        "worst": float(f"{verdict['worst']:.1e}"),
    }


def update(summary, files):
    """A summary with what the files say in the place of what it said of the same."""
    found, scripts = {}, {}
    for file in map(Path, files):
        if file.suffix == ".json":
            name, scripts[name] = script_row(json.loads(file.read_text()))
        else:
            found |= read(file.read_text().splitlines())
    families = summary.get("families", {}) | summarize(found.values())
    return {
        "versions": versions(),
        "families": {name: families[name] for name in FAMILIES if name in families},
        "scripts": dict(sorted((summary.get("scripts", {}) | scripts).items())),
    }


def main(files):
    """Update summary.json."""
    old = json.loads(SUMMARY.read_text()) if SUMMARY.exists() else {}
    new = update(old, files)
    SUMMARY.write_text(json.dumps(new, indent=1) + "\n")
    for name, row in new["families"].items():
        print(f"{name}: {row['cases']} cases, {row['failed']} failed")


if __name__ == "__main__":
    main(sys.argv[1:])
