"""Weights in HDF5 in Keras's layout: a group for each layer, named by attributes.

`layers/dense_1/vars/0` is the first weight of the second Dense in `model.layers`;
`block/aa/dense/vars/0` is in the list `aa` of the sub-layer `block`.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minikeras.core.bridge import bound
from minikeras.core.late_import import late_import
from minikeras.core.naming import to_snake_case
from minikeras.layers.weight_access import WeightAccess
from minikeras.optimizers.optimizer import Optimizer
from minikeras.saving import safety


def _is_saveable(x):
    """True for objects whose weights are written."""
    return hasattr(x, "save_own_variables") and not isinstance(x, type)


def _children(obj):
    """[(attribute, value)] that may hold weights, sorted by name as in Keras."""
    attributes = {
        name: value for name, value in vars(obj).items() if not _is_hidden(obj, name)
    }
    if hasattr(type(obj), "layers"):
        attributes["layers"] = obj.layers
    optimizer = vars(obj).get("optimizer")
    if isinstance(optimizer, Optimizer):
        attributes["optimizer"] = optimizer
    return sorted(attributes.items())


def _is_hidden(obj, name):
    """True for attributes of our own, which Keras's objects do not have."""
    untracked = getattr(obj, "_mk_untracked", frozenset())
    return name.startswith(("__", "_mk_")) or name in untracked


def walk(
    obj: Any, path: str = "", visited: set[int] | None = None
) -> Iterator[tuple[str, Any]]:
    """Generate (path, object) for an object and all objects below it with variables."""
    visited = set() if visited is None else visited
    if id(obj) in visited:
        return
    visited.add(id(obj))
    yield path, obj
    for name, value in _children(obj):
        inner = f"{path}/{name}".lstrip("/")
        if _is_saveable(value):
            yield from walk(value, inner, visited)
        elif isinstance(value, (list, tuple, set, dict)):
            yield from _walk_container(value, inner, visited)


def _walk_container(container, path, visited):
    """`walk` through a list, tuple, set or dict: items are named by their class."""
    used: dict[str, int] = {}
    items = container.values() if isinstance(container, dict) else container
    for item in items:
        nested = isinstance(item, (list, tuple, set, dict))
        if not nested and not _is_saveable(item):
            continue
        name = "container" if nested else to_snake_case(type(item).__name__)
        used[name] = used.get(name, -1) + 1
        inner = f"{path}/{name}" + (f"_{used[name]}" if used[name] else "")
        if nested:
            yield from _walk_container(item, inner, visited)
        else:
            yield from walk(item, inner, visited)


def write(model: Any, file: Any, optimizer: bool = True) -> None:
    """Write the variables of all objects into an open `h5py.File`."""
    for path, obj in walk(model):
        if isinstance(obj, Optimizer) and not optimizer:
            continue
        group = file.create_group(f"{path}/vars" if path else "vars")
        group.attrs["name"] = getattr(obj, "name", "")
        store: dict = {}
        obj.save_own_variables(store)
        for key, value in store.items():
            write_array(group, key, np.asarray(value))


def to_bytes(model: Any, optimizer: bool = True) -> bytes:
    """Return the variables of all objects as the content of an HDF5 file."""
    h5py = late_import("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(model, file, optimizer)
    return buffer.getvalue()


def write_array(group: Any, key: str, value: np.ndarray) -> None:
    """Write an array; HDF5 lacks bfloat16: its bits are written as uint16."""
    if value.dtype.name == "bfloat16":
        group.create_dataset(key, data=value.view("u2"))
        group[key].attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(key, data=value)


class Store:
    """The datasets of an HDF5 group as a read-only mapping to arrays."""

    def __init__(self, group: Any):
        self._group = group

    def keys(self) -> list[str]:
        """The names of the datasets."""
        return [] if self._group is None else list(self._group.keys())

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of a dataset, without reading it."""
        return tuple(self._group[key].shape)

    def __len__(self):
        return len(self.keys())

    def __iter__(self):
        return iter(self.keys())

    def __contains__(self, key):
        return key in self.keys()

    def __getitem__(self, key):
        """Read a weight as a NumPy array; h5py returns bfloat16 as 2-byte voids."""
        if key not in self:
            raise KeyError(
                f"The file has no weight {key!r} here; it has {self.keys()}."
            )
        dataset = self._group[key]
        value = np.asarray(dataset)
        if dataset.attrs.get("dtype") == "bfloat16":
            ml_dtypes = late_import("ml_dtypes")
            value = value.view("u2").view(ml_dtypes.bfloat16)
        return value


def read(model: Any, file: Any, skip_mismatch: bool = False) -> None:
    """Assign the variables of all objects from an open, checked `h5py.File`.

    Weights of the file for which the model has no object are named in a warning.

    Args:
        model: the model.
        file: the `h5py.File`.
        skip_mismatch: bool, whether to warn of objects whose weights are missing or do
            not fit, and leave all their weights unchanged.

    Raises:
        ValueError: names all objects whose weights are missing or do not fit. No weight
            has changed.
    """
    problems, groups, loaders = [], set(), []
    for path, obj in walk(model):
        name = f"{path}/vars" if path else "vars"
        groups.add(name)
        group = file[name] if name in file else None
        if group is None and not _owns_variables(obj):
            continue
        try:
            loaders.append(_prepare_load(obj, Store(group)))
        except (KeyError, ValueError, IndexError) as error:
            if isinstance(obj, Optimizer):
                warnings.warn(
                    f"The optimizer's state was left out: {error}", stacklevel=3
                )
            else:
                problems.append((path or obj.name, error))
    if not problems or skip_mismatch:
        for load in loaders:
            load()
    if unused := sorted(_weight_groups(file) - groups):
        warnings.warn(
            f"The model has no place for these weights of the file: {unused}. Is it "
            "built as it was when it was saved?",
            stacklevel=3,
        )
    if not problems:
        return
    text = "\n".join(f"  {path}: {error}" for path, error in problems)
    if not skip_mismatch:
        raise ValueError(
            f"A total of {len(problems)} objects could not be loaded from the file:\n"
            f"{text}\nBuild the model as it was saved, or pass skip_mismatch=True."
        )
    warnings.warn(f"Not loaded from the file:\n{text}", stacklevel=3)


def from_bytes(
    model: Any, data: bytes, filepath: Any, skip_mismatch: bool = False
) -> None:
    """Check the content of an HDF5 file, and `read` it.

    Args:
        model: the model.
        data: content of the file.
        filepath: its path, for errors.
        skip_mismatch: argument of `read`.
    """
    h5py = late_import("h5py")
    try:
        file = h5py.File(io.BytesIO(data), "r")
    except OSError as error:
        raise ValueError(
            f"The weights in {filepath!s} are damaged: {error}."
        ) from error
    with file:
        safety.check_h5(file)
        read(model, file, skip_mismatch)


def _prepare_load(obj: Any, store: Store) -> Callable[[], Any]:
    """Check the weights of an object; return a function that assigns them.

    Nothing is assigned here, so that a file that does not fit changes no weight.

    Raises:
        KeyError, ValueError, IndexError: the weights do not fit.
    """
    own = getattr(type(obj), "load_own_variables", None)
    if own is WeightAccess.load_own_variables:
        obj._mk_check_store(store)
        return lambda: obj.load_own_variables(store)
    # A class of the user's own: its assignments are recorded instead of executed.
    with bound({}) as frame:
        obj.load_own_variables(store)
    values, variables = frame.bindings.values, frame.bindings.new_variables
    return lambda: [v.assign(values[id(v)]) for v in variables]


def _owns_variables(obj):
    """True if the object must find weights in the file."""
    if isinstance(obj, Optimizer):
        return False
    own = getattr(obj, "_mk_own_variables", None)
    return bool(own()) if own else False


def _weight_groups(file):
    """The names of the groups with weights, except the optimizer's."""
    groups = set()

    def visit(name, item):
        if hasattr(item, "shape") and not name.startswith("optimizer/"):
            groups.add(name.rpartition("/")[0])

    file.visititems(visit)
    return groups
