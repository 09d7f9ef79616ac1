"""`KerasFileEditor`: look at the weights of a file, edit them, save them again."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.core.printing import print_msg
from minikeras.core.registry import did_you_mean
from minikeras.saving import atomic_files, errors, h5_weights, keras_file, safety
from minikeras.saving.members import open_members
from minikeras.saving.object_paths import walk


def objects(tree: dict, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Generate (path, {name: weight}) of each object of nested dicts that has weights.

    >>> list(objects({"layers": {"dense": {"0": 1.0}}}))
    [('layers/dense', {'0': 1.0})]
    """
    if weights := {k: v for k, v in tree.items() if not isinstance(v, dict)}:
        yield path, weights
    for name, inner in tree.items():
        if isinstance(inner, dict):
            yield from objects(inner, f"{path}/{name}".lstrip("/"))


def tree_lines(tree: dict, indent: str = "") -> Iterator[str]:
    """Generate the lines of a drawing of nested dicts, whose leaves are arrays."""
    for i, (name, value) in enumerate(tree.items()):
        last = i == len(tree) - 1
        line = f"{indent}{'└─' if last else '├─'} {name}"
        if isinstance(value, dict):
            yield line
            yield from tree_lines(value, indent + ("   " if last else "│  "))
        else:
            yield f"{line}: shape={value.shape}, dtype={value.dtype}"


def differences(
    expected: Mapping[str, Mapping[str, tuple]],
    found: Mapping[str, Mapping[str, tuple]],
) -> list[str]:
    """Name what differs between two tables {object: {weight: shape}}, a line each."""
    lines = []
    for path, shapes in expected.items():
        if path not in found:
            lines.append(f"{path}: missing from the file, with weights {[*shapes]}")
            continue
        for name, shape in shapes.items():
            if name not in found[path]:
                lines.append(f"{path}/{name}: missing from the file")
            elif found[path][name] != shape:
                was = found[path][name]
                lines.append(f"{path}/{name}: shape {was}, the model's is {shape}")
        for name in found[path].keys() - shapes.keys():
            lines.append(f"{path}/{name}: not in the model")
    for path in found.keys() - expected.keys():
        lines.append(f"{path}: not in the model, with weights {[*found[path]]}")
    return lines


class KerasFileEditor:
    """Look at the weights of a file, edit them, and save them under another name.

    An object is named by its path, such as `"layers/dense_1"`, or by its name alone
    if no other object has that name.

    Args:
        filepath: path that ends in `.keras` or `.weights.h5`.

    Raises:
        ValueError: another suffix, or a file that is missing or damaged.

    Attributes:
        filepath: the path.
        metadata: {"keras_version", "date_saved"} of a `.keras` file, else None.
        config: config of the model in a `.keras` file, else None.
        weights_dict: nested dicts of arrays.
        object_metadata: {"/path": {"name": name of the layer}}.

    >>> import pathlib, tempfile
    >>> from minikeras import Input, Sequential, layers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.weights.h5"
    ...     Sequential([Input((3,)), layers.Dense(2)]).save_weights(path)
    ...     editor = KerasFileEditor(path)
    Keras model file ...
    >>> editor.rename_object("dense", "dense_1")
    >>> editor.summary()
    Weights structure
    └─ layers
       └─ dense_1
          ├─ 0: shape=(3, 2), dtype=float32
          └─ 1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: str | os.PathLike):
        self.filepath = os.fspath(filepath)
        self.metadata, self.config, self.model = None, None, None
        self.object_metadata: dict[str, dict[str, str]] = {}
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(
                "KerasFileEditor: the path must end in `.keras` or `.weights.h5`, got "
                f"{self.filepath!r}."
            )
        with errors.reading(self.filepath):
            self.weights_dict = self._read()
        print_msg(f"Keras model file {self.filepath!r}")
        if self.metadata:
            version, date = map(self.metadata.get, ("keras_version", "date_saved"))
            print_msg(f"Saved with Keras {version} - date: {date}")

    def _read(self):
        """Fill metadata and config; return the weights."""
        if not self.filepath.endswith(".keras"):
            with (
                safety.open_regular(self.filepath) as file,
                safety.open_h5(file, texts=True) as h5,
            ):
                return self._weights(h5)
        with open_members(self.filepath) as members:
            self.metadata = members.json(keras_file.METADATA)
            self.config = members.json(keras_file.CONFIG)
            if not isinstance(self.metadata, dict):
                fault = "It is damaged: it is no dict."
                raise errors.FileError(fault, place=keras_file.METADATA)
            with members.open_h5(keras_file.WEIGHTS) as h5:
                return self._weights(h5)

    def _weights(self, group, path=""):
        """The arrays below a group, as nested dicts without empty ones."""
        tree: dict[str, Any] = {}
        for key, item in group.items():
            if hasattr(item, "shape"):
                tree[key] = h5_weights.Store({key: item})[key]
            elif key == "vars":
                tree |= self._weights(item, path)
                if name := safety.attribute(item, "name"):
                    self.object_metadata[path or "/"] = {"name": str(name)}
            elif inner := self._weights(item, f"{path}/{key}"):
                if key in tree:
                    fault = f"A weight and an object are named {key!r}."
                    raise errors.FileError(fault, place=path)
                tree[key] = inner
        return tree

    def summary(self) -> None:
        """Print the tree of objects and weights."""
        print_msg("\n".join(["Weights structure", *tree_lines(self.weights_dict)]))

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print how the weights differ from those of a model.

        Args:
            reference_model: a built model.

        Returns:
            {"status": "success" or "error", "error_count", "match_count"}: the number
            of differences, and of weights of the file that fit.

        Raises:
            ValueError: the reference is no model.
        """
        if not hasattr(reference_model, "save_own_variables"):
            raise ValueError(f"compare: expected a model, got {reference_model!r}.")
        expected = {}
        for path, obj in walk(reference_model):
            store: dict[str, Any] = {}
            obj.save_own_variables(store)
            if store:
                expected[path] = {name: np.shape(x) for name, x in store.items()}
        found = {
            path: {name: x.shape for name, x in weights.items()}
            for path, weights in objects(self.weights_dict)
        }
        lines = differences(expected, found)
        same = sum(
            len(shapes.items() & found.get(path, {}).items())
            for path, shapes in expected.items()
        )
        fits = f"{same} weights fit the model" + "; differences:" * bool(lines)
        print_msg("\n".join([fits, *(f"  {line}" for line in lines)]))
        status = "error" if lines else "success"
        return {"status": status, "error_count": len(lines), "match_count": same}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename an object, such as a layer.

        Args:
            object_name: path of the object, or its name.
            new_name: the last part of its new path.

        Raises:
            ValueError: no or several such objects, or another has the new name.
        """
        self._check_name(new_name)
        parent, path = self._find(object_name)
        folder, _, name = path.rpartition("/")
        if new_name != name and new_name in parent:
            raise ValueError(f"There is an object {f'{folder}/{new_name}'!r} already.")
        items = [(new_name if k == name else k, v) for k, v in parent.items()]
        parent.clear()
        parent.update(items)
        self._move_metadata(path, f"{folder}/{new_name}")

    def delete_object(self, object_name: str) -> None:
        """Delete an object and all objects in it.

        Args:
            object_name: path of the object, or its name.

        Raises:
            ValueError: no or several such objects.
        """
        parent, path = self._find(object_name)
        del parent[path.rpartition("/")[2]]
        self._move_metadata(path, None)

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object in place of one that may have been there.

        Args:
            object_path: path of the object, such as `"layers/dense_2"`.
            weights: {name: array}, such as `{"0": kernel, "1": bias}`.

        Raises:
            ValueError: the path's folder is missing, or weights are no dict of arrays.
        """
        folder, _, name = object_path.strip("/").rpartition("/")
        self._check_name(name)
        parent = self.weights_dict
        if folder:
            above, path = self._find(f"/{folder}")
            parent = above[path.rpartition("/")[2]]
        parent[name] = self._arrays(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Delete a weight of an object.

        Args:
            object_name: path of the object, or its name.
            weight_name: name of the weight, such as `"0"`.

        Raises:
            ValueError: no or several such objects, or no such weight.
        """
        parent, path = self._find(object_name)
        weights = parent[path.rpartition("/")[2]]
        if isinstance(weights.get(weight_name, {}), dict):
            raise ValueError(f"{path!r} has no weight {weight_name!r}: {[*weights]}.")
        del weights[weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object, in place of those of the same name.

        Args:
            object_name: path of the object, or its name.
            weights: {name: array}.

        Raises:
            ValueError: no or several such objects, or weights are no dict of arrays.
        """
        parent, path = self._find(object_name)
        parent[path.rpartition("/")[2]].update(self._arrays(weights))

    def save(self, filepath: str | os.PathLike) -> None:
        """Write the weights.

        Args:
            filepath: path that ends in `.weights.h5`.

        Raises:
            ValueError: another suffix.
        """
        if not str(filepath).endswith(".weights.h5"):
            raise ValueError(
                f"save: the path must end in `.weights.h5`, got {str(filepath)!r}."
            )
        h5py = late_import("h5py")
        with atomic_files.replace_file(filepath) as file, h5py.File(file, "w") as h5:
            h5_weights.write(h5, self._groups())

    resave_weights = save

    def _groups(self):
        """Generate (path of the group, name, weights) of each object."""
        for path, weights in objects(self.weights_dict):
            known = self.object_metadata.get(f"/{path}", {})
            name = known.get("name", path.rpartition("/")[2])
            yield f"{path}/vars".lstrip("/"), name, weights

    def _find(self, name):
        """(the dict that holds an object, the object's path from "/")."""
        everywhere = "/" not in name
        found, pending = [], [(self.weights_dict, "")]
        while pending:
            parent, path = pending.pop()
            for key, value in parent.items():
                if isinstance(value, dict):
                    own = f"{path}/{key}"
                    pending.append((value, own))
                    if (key if everywhere else own.strip("/")) == name.strip("/"):
                        found.append((parent, own))
        if len(found) == 1:
            return found[0]
        if found:
            paths = sorted(path for _, path in found)
            raise ValueError(
                f"Several objects are named {name!r}; give one of {paths}."
            )
        known = [path for path, _ in objects(self.weights_dict)]
        known += [path.rpartition("/")[2] for path in known] if everywhere else []
        hint = did_you_mean(name, known) or " See `summary()`."
        raise ValueError(f"The file has no object {name!r}.{hint}")

    def _check_name(self, name):
        if not isinstance(name, str) or name in ("", ".", "..") or "/" in name:
            raise ValueError(f"Expected a name without '/', got {name!r}.")

    def _arrays(self, weights):
        """Copy {name: array} with NumPy arrays."""
        if not isinstance(weights, dict):
            raise ValueError(
                "weights: expected a dict such as {'0': kernel, '1': bias}, got "
                f"{type(weights).__name__}."
            )
        arrays = {name: np.asarray(value) for name, value in weights.items()}
        for name, value in arrays.items():
            self._check_name(name)
            if value.dtype.kind in "OUSM":
                raise ValueError(f"weights: {name!r} is no array of numbers: {value}.")
        return arrays

    def _move_metadata(self, path, new):
        """Let the names of an object and of those in it follow to another path."""
        kept = {}
        for key, value in self.object_metadata.items():
            if key == path or key.startswith(f"{path}/"):
                if new is not None:
                    kept[new + key[len(path) :]] = value
            else:
                kept[key] = value
        self.object_metadata = kept
