"""What a file of Keras holds, told without building, running or allocating it.

`inspect_file` finds out by the content, not the suffix, what kind of file it is. The
checks are those of loading, `safety`; what they refuse is told, not raised.
"""

import functools
import os
import pathlib
import re
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras.saving import (
    errors,
    h5_weights,
    keras_file,
    orbax_folder,
    outline,
    safetensors_file,
    safety,
    shards,
)
from minikeras.saving.members import open_members

_ZIP = b"PK\x03\x04"
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_MANY_LAYERS = 10_000
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


def inspect_file(path: str | os.PathLike, values: bool = False) -> dict[str, Any]:
    """Describe a file.

    Args:
        path: a `.keras` file or folder, `.weights.h5`, `.weights.json`, `.h5`,
            `.safetensors`, a JSON config, or a folder of Orbax.
        values: bool, whether to read the weights, and name those with NaN or infinity.

    Returns:
        What `json.dumps` takes: `"kind"`, `"size"`, `"versions"`, `"model"`,
        `"layers"`, `"others"` (weights of no layer of the config), `"totals"`,
        `"compile_config"`, `"optimizer"`, `"assets"`, `"custom"`, `"suspicious"`,
        `"error"`, and `"status"`: 0 fine, 1 suspicious, 2 unreadable.
    """
    report = _Report(values)
    try:
        with errors.reading(path):
            _look(pathlib.Path(path), report)
    except errors.FileError as error:
        if error.fault.startswith("Refused"):
            report.suspicious.append(str(error))
        else:
            report.error = str(error)
    return {"file": os.fspath(path), **report.result()}


class _Report:
    """What was found so far.

    `weights` is {path: (shape, dtype)}; `names` is {path of an object: its name}.
    """

    def __init__(self, values):
        self.values = values
        self.kind, self.size, self.error = "unknown", None, None
        self.versions: dict[str, str] = {}
        self.config, self.compile_config = None, None
        self.weights: dict[str, tuple[tuple[int, ...], str]] = {}
        self.names: dict[str, str] = {}
        self.assets: list[dict] = []
        self.suspicious: list[str] = []
        self.by_name = False  # are weights found by the name of the layer?

    def add_weight(self, path, shape, dtype, read):
        """Note a weight; `read()` gives its value."""
        self.weights[path] = (tuple(map(int, shape)), str(dtype))
        if "complex" in str(dtype):
            self.suspicious.append(f"{path}: its numbers are complex.")
        if self.values:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of NaN, which are counted here
                value = np.asarray(read())
            if value.dtype == "V2":
                value = value.view(jnp.bfloat16)
            if value.dtype.kind not in "biufc":  # bfloat16 and float8
                value = value.astype("float32")
            if value.dtype.kind in "fc" and not np.isfinite(value).all():
                nan = int(np.isnan(value).sum())
                count = int(value.size - np.isfinite(value).sum()) - nan
                self.suspicious.append(f"{path}: {nan} NaN, {count} infinite.")

    def result(self):
        """The report as a dict."""
        stored = sum(map(_elements, self.weights.values()))
        known = stored if self.weights else None
        suspicious = self.suspicious + outline.risks(self.config, known)
        suspicious += outline.risks(self.compile_config, known, "compile_config")
        layers, rest = self._layers()
        if len(layers) > _MANY_LAYERS:
            suspicious.append(f"The config has {len(layers)} layers.")
        optimizer = {p: w for p, w in rest.items() if _of_optimizer(p)}
        others: dict[str, dict] = {}
        for path, weight in rest.items():
            if path not in optimizer:
                others.setdefault(path.rpartition("/")[0], {})[path] = weight
        model = {p: w for p, w in self.weights.items() if p not in optimizer}
        return {
            "kind": self.kind,
            "size": self.size,
            "versions": self.versions,
            "model": _model(self.config),
            "layers": layers,
            "others": [
                _row(path, self.names.get(path, ""), others[path])
                for path in sorted(others)
            ],
            "totals": _totals(model),
            "compile_config": self.compile_config,
            "optimizer": _totals(optimizer) if optimizer else None,
            "assets": self.assets,
            "custom": [
                *outline.custom(self.config),
                *outline.custom(self.compile_config, "compile_config"),
            ],
            "suspicious": suspicious,
            "error": self.error,
            "status": 2 if self.error else int(bool(suspicious)),
        }

    def _layers(self):
        """(the rows of the config's layers, {path: weight} of no layer)."""
        rest, rows = dict(self.weights), []
        entries = outline.layers(self.config)
        if self.by_name:
            entries = [entry for entry in entries if entry.depth == 0]
        by_prefix: dict[str, dict] = {
            entry.name if self.by_name else entry.path: {} for entry in entries
        }
        most_parts = max((x.count("/") for x in by_prefix), default=0) + 1
        for path, weight in self.weights.items():
            parts = path.split("/", most_parts)
            for i in range(1, len(parts)):
                if (prefix := "/".join(parts[:i])) in by_prefix:
                    by_prefix[prefix][path] = weight
        # The layers in a model come after it, and take their weights from it.
        for entry in reversed(entries):
            every = by_prefix[entry.name if self.by_name else entry.path]
            own = {path: rest.pop(path) for path in every if path in rest}
            row = _row(entry.path, entry.name, own)
            row |= {"class": entry.class_name, "dtype": entry.dtype}
            row |= {"depth": entry.depth, "parameters": _totals(every)["parameters"]}
            rows.append(row)
        return rows[::-1], rest


def _of_optimizer(path):
    return path.startswith(("optimizer/", "optimizer_weights/", "optimizer_variables/"))


def _elements(weight):
    return int(np.prod(weight[0], dtype=object))


def _row(path, name, weights):
    listed = [{"path": p, "shape": [*w[0]], "dtype": w[1]} for p, w in weights.items()]
    count = sum(map(_elements, weights.values()))
    return {"path": path, "name": name, "weights": listed, "parameters": count}


def _totals(weights):
    """Numbers of weights and parameters, and parameters of each dtype."""
    by_dtype: dict[str, int] = {}
    for weight in weights.values():
        by_dtype[weight[1]] = by_dtype.get(weight[1], 0) + _elements(weight)
    total = sum(by_dtype.values())
    return {"weights": len(weights), "parameters": total, "by_dtype": by_dtype}


def _model(config):
    """Class and name of the outermost object of a config."""
    if not isinstance(config, dict) or "class_name" not in config:
        return None
    name = outline.inner(config).get("name")
    return {"class": str(config["class_name"]), "name": name and str(name)}


def _look(path, report):
    """Find out the kind of a file, and fill the report."""
    if path.is_dir():
        _look_into_folder(path, report)
        return
    with safety.open_regular(path) as file:
        report.size = safety.size_of(file)
        start = file.read(9)
        file.seek(0)
        if start.startswith(_ZIP):
            report.kind = "keras (zip)"
            _keras(path, report)
        elif start.startswith(safety.HDF5_SIGNATURE):
            report.kind = "HDF5"
            with safety.open_h5_contents(file, texts=True) as (h5, contents):
                _h5(h5, contents.groups, report)
        elif start[8:9] == b"{":
            report.kind = "safetensors"
            _safetensors(file, report)
        elif start.lstrip()[:1] in (b"{", b"["):
            report.kind = "JSON"
            data = safety.read_all(file, report.size, report.size, "")
            _json(safety.parse_json(data), path, report)
        elif _PICKLE.match(start):
            fault = "Refused: it is a pickle, and loading one runs code."
            raise errors.FileError(fault)
        else:
            raise errors.FileError("It is no file that Keras writes, or it is damaged.")


def _look_into_folder(path, report):
    if (path / "config.json").exists():
        report.kind = "keras (folder)"
        _keras(path, report)
    elif orbax_folder.last_step(path):
        report.kind = "Orbax checkpoint"
        if (config := orbax_folder.read_config(path)) is not None:
            _set_config(config, report)
        report.by_name = True
        name = (_model(report.config) or {}).get("name")
        for path_in_tree, shape in orbax_folder.shapes(path).items():
            group, _, rest = path_in_tree.partition("/")
            is_weight = group.endswith("trainable_variables")
            own = rest.removeprefix(f"{name}/") if is_weight else path_in_tree
            report.weights[own] = (shape, "unknown")
    else:
        raise errors.FileError("The folder holds no model and no checkpoint.")


def _keras(path, report):
    with open_members(path) as members:
        for name, size in sorted(members.sizes.items()):
            if name.startswith("assets/"):
                report.assets.append({"name": name, "size": size})
            if name.endswith(_PICKLE_SUFFIXES):
                report.suspicious.append(f"{name}: may be a pickle.")
        metadata = members.json(keras_file.METADATA)
        if isinstance(metadata, dict):
            report.versions = {k: str(v) for k, v in metadata.items()}
        _set_config(members.json(keras_file.CONFIG), report)
        with members.open(keras_file.WEIGHTS) as file:
            with safety.open_h5_contents(file, keras_file.WEIGHTS, True) as (
                _,
                contents,
            ):
                _note_groups(contents.groups, report)


def _set_config(config, report):
    """Note a model's config, and the compile config that may be in it."""
    report.config = config
    if _model(config) is None:
        report.error = "Its config describes no model."
    else:
        report.compile_config = config.pop("compile_config", None)


def _note_groups(groups, report):
    """Note the weights of {path of a group: {key: data set}}."""
    for path, datasets in groups.items():
        owner = "/".join(part for part in path.split("/") if part != "vars")
        store = h5_weights.Store(datasets)
        for key, dataset in datasets.items():
            # Keras marks bfloat16, which HDF5 lacks, in weights but not in models.
            known = "bfloat16" if dataset.dtype == "V2" else dataset.dtype.name
            dtype = safety.attribute(dataset, "dtype", known)
            read = functools.partial(store.__getitem__, key)
            report.add_weight(f"{owner}/{key}".lstrip("/"), dataset.shape, dtype, read)
        if datasets:
            name = safety.attribute(dataset.parent, "name", "")
            report.names[owner] = str(name)


def _h5(h5, groups, report):
    """Note an HDF5 file: Keras 3's weights, or a model or weights of older versions."""
    texts = ("keras_version", "backend", "model_config", "training_config")
    found = {key: safety.attribute(h5, key) for key in texts}
    found = {k: x.decode() if isinstance(x, bytes) else x for k, x in found.items()}
    report.versions = {k: str(found[k]) for k in texts[:2] if found[k] is not None}
    if found["model_config"] is not None:
        report.kind = "legacy HDF5 model"
        _set_config(safety.parse_json(found["model_config"], "model_config"), report)
    if found["training_config"] is not None:
        parsed = safety.parse_json(found["training_config"], "training_config")
        report.compile_config = parsed
    named = [g for g in (h5, h5.get("model_weights")) if g is not None]
    report.by_name = any(
        key.startswith("layer_names") for g in named for key in g.attrs
    )
    if report.config is None:
        report.kind = "legacy HDF5 weights" if report.by_name else "weights (HDF5)"
    model = "model_weights/"
    _note_groups({k.removeprefix(model): g for k, g in groups.items()}, report)


def _safetensors(file, report):
    entries, metadata = safetensors_file.read_header(file)
    report.versions = {str(k): str(v) for k, v in metadata.items()}
    for name, entry in entries.items():
        read = functools.partial(safetensors_file.read_array, file, entry)
        report.add_weight(name, entry.shape, entry.dtype, read)


def _json(value, path, report):
    """Note a config, or the shards that a `.weights.json` names."""
    if isinstance(value, dict) and "weight_map" in value:
        report.kind = "weights (shards)"
        with shards.open_groups(path) as (groups, _):
            _note_groups(groups, report)
        return
    _set_config(value, report)
