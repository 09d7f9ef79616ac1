"""The variables of a model in HDF5, under Keras's paths.

Each object with variables has a group named by the attributes that lead to it, such as
`layers/dense/vars` for a layer of a model, or `cell/kernel_op/vars` for a layer in the
attribute `kernel_op` of the attribute `cell`.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from minikeras.core import dtypes
from minikeras.core.bridge import bound
from minikeras.core.late_import import late_import
from minikeras.core.platform import aligned_empty
from minikeras.core.variable import Variable, assign_lock
from minikeras.layers.weight_access import WeightAccess
from minikeras.optimizers.optimizer import Optimizer
from minikeras.saving import safety
from minikeras.saving.errors import FileError
from minikeras.saving.object_paths import walk
from minikeras.training.interrupts import Interrupts

# State of training; tf-keras writes that of metrics, too.
_NOT_OF_LAYERS = ("optimizer/", "metrics/")
# Types that HDF5 does not have: their bits are written, and the name beside them.
_OPAQUE_TYPES = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4")


_MOST_NAMED = 200  # objects in a message


def entries(
    model: Any, optimizer: bool = True, skip: Iterable[Any] = ()
) -> Iterator[tuple[str, str, dict[str, np.ndarray]]]:
    """Generate (path of the group, name, {key: array}) of all objects of a model.

    Args:
        model: the model.
        optimizer: bool, whether to include the optimizer.
        skip: objects that are left out.
    """
    for path, obj in walk(model, skip):
        if isinstance(obj, Optimizer) and not optimizer:
            continue
        store: dict[str, Any] = {}
        obj.save_own_variables(store)
        arrays = {key: np.asarray(value) for key, value in store.items()}
        yield f"{path}/vars".lstrip("/"), getattr(obj, "name", ""), arrays


def write(file: Any, groups: Iterable[tuple[str, str, dict[str, np.ndarray]]]) -> None:
    """Write `entries` into an open `h5py.File`."""
    for path, name, arrays in groups:
        group = file.create_group(path)
        group.attrs["name"] = name
        for key, value in arrays.items():
            write_array(group, key, value)


def write_array(group: Any, key: str, value: np.ndarray) -> None:
    """Write an array into an HDF5 group."""
    if (name := value.dtype.name) in _OPAQUE_TYPES:
        group.create_dataset(key, data=value.view(f"V{value.dtype.itemsize}"))
        group[key].attrs["dtype"] = name
    else:
        group.create_dataset(key, data=value)


class Store:
    """The data sets of an HDF5 group as a read-only mapping to arrays.

    Args:
        datasets: {key: data set}, or None for an object that the file does not have.
    """

    def __init__(self, datasets: Mapping[str, Any] | None):
        self._datasets = {} if datasets is None else datasets

    def keys(self) -> list[str]:
        """The names of the datasets."""
        return list(self._datasets.keys())

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of a dataset, without reading it."""
        return tuple(self._datasets[key].shape)

    def __len__(self):
        return len(self.keys())

    def __iter__(self):
        return iter(self.keys())

    def __contains__(self, key):
        return key in self.keys()

    def __getitem__(self, key):
        """Read a weight as a NumPy array."""
        if key not in self:
            raise KeyError(
                f"The file has no weight {key!r} here; it has {self.keys()}."
            )
        dataset = self._datasets[key]
        value = aligned_empty(dataset.shape, dataset.dtype)
        if value.size:
            dataset.read_direct(value)
        name = "bfloat16" if value.dtype.str == "|V2" else None
        if safety.NAMED_TYPES.match(value.dtype.str):
            name = safety.attribute(dataset, "dtype")
        if name in _OPAQUE_TYPES:
            value = value.view(getattr(late_import("ml_dtypes"), name))
        is_float = value.dtype.kind in "fc" or value.dtype.name == "bfloat16"
        # The smallest number is NaN if any is, and takes half the time of a mask.
        if is_float and value.size and np.isnan(value.min()):
            warnings.warn(
                f"The weight {dataset.name} of the file has NaNs.", stacklevel=2
            )
        return value

    def array(self, key: str, dtype: str) -> jax.Array:
        """Read a weight straight into memory that the device uses."""
        value = self[key]
        if value.dtype.kind == "c" and "complex" not in dtype:
            warnings.warn(
                f"The weight {self._datasets[key].name} of the file is complex; only "
                f"its real part becomes {dtype}.",
                stacklevel=2,
            )
            value = value.real
        return jax.device_put(value.astype(dtypes.as_jax(dtype), copy=False))


def read(
    model: Any,
    groups: Mapping[str, Mapping[str, Any]],
    skip_mismatch: bool = False,
    skip: Iterable[Any] = (),
) -> None:
    """Assign the variables of all objects of a model from a checked file.

    Everything is read before the first variable changes. Weights of the file for which
    the model has no object are named in a warning.

    Args:
        model: the model.
        groups: {path of a group: {key: data set}}.
        skip_mismatch: bool, whether to warn of objects whose weights are missing or do
            not fit, and leave all their weights unchanged. Layers that are not built
            are left out in any case.
        skip: objects that stay as they are.

    Raises:
        FileError: names all objects whose weights are missing or do not fit. No weight
            has changed.
    """
    groups = _with_nested_keys(_with_todays_paths(groups))
    problems: dict[int, tuple[str, Exception]] = {}
    loads: list[Callable[[], list]] = []
    used, paths = set(), {path for path, _ in walk(model)}
    # An object may be in the file under another of its attributes.
    for path, obj in walk(model, skip, again=lambda obj: id(obj) in problems):
        name = _group_of(path, groups, paths)
        used.add(name)
        if name not in groups and not _owns_variables(obj):
            continue
        try:
            loads.append(_prepare_load(obj, Store(groups.get(name))))
            problems.pop(id(obj), None)
        except Exception as error:  # the user's own `load_own_variables` may raise any
            if isinstance(obj, Optimizer):
                warnings.warn(
                    f"The optimizer's state was left out: {error}", stacklevel=3
                )
            elif not getattr(obj, "built", True):
                warnings.warn(f"Left out: {path}: {error}", stacklevel=3)
            else:
                problems.setdefault(id(obj), (path or obj.name, error))
    if not problems or skip_mismatch:
        assign_all(pair for load in loads for pair in load())
    skipped = [f"{path}/" for path, obj in walk(model) if any(obj is x for x in skip)]
    _warn_of_unused(groups, used, (*skipped, *_NOT_OF_LAYERS))
    _report(problems.values(), skip_mismatch)


def _group_of(path, groups, paths):
    """The group of the object at a path of a model that has these paths."""
    parent, _, attribute = path.rpartition("/")
    private = f"{parent}/_{attribute}".lstrip("/")  # some attributes in tf-keras
    in_file = [x for x in (path, private) if f"{x}/vars".lstrip("/") in groups]
    found = in_file[0] if in_file and in_file[0] not in paths - {path} else path
    return f"{found}/vars".lstrip("/")


def _with_todays_paths(groups):
    """TensorFlow 2.12 and 2.13 called the layers of a model by another attribute."""
    old = "_layer_checkpoint_dependencies"
    if not any(name.startswith(old) for name in groups):
        return groups
    return {name.replace(old, "layers"): groups[name] for name in groups}


def _with_nested_keys(groups):
    """HDF5 made a group of the key "a/b" of an object: it becomes a key again."""
    # Groups of objects end in "vars"; an attribute of that name may hold layers.
    paths = [x for x in groups if groups[x] and x.rpartition("/")[2] != "vars"]
    nested = [x for x in paths if "/vars/" in f"/{x}"]
    if not nested:
        return groups
    joined = {path: dict(datasets) for path, datasets in groups.items()}
    for path in nested:
        owner, _, inner = f"/{path}".rpartition("/vars/")
        own = joined.setdefault(f"{owner}/vars".lstrip("/"), {})
        own |= {f"{inner}/{key}": x for key, x in joined.pop(path).items()}
    return joined


def _warn_of_unused(groups, used, skipped):
    """Warn of weights of the file for which the model has no object."""
    unused = sorted(
        name
        for name, datasets in groups.items()
        if datasets and name not in used and not name.startswith(skipped)
    )
    if unused:
        warnings.warn(
            f"The model has no place for these weights of the file: {unused}. Is it "
            "built as it was when it was saved?",
            stacklevel=4,
        )


def _report(problems, skip_mismatch):
    """Name the objects whose weights do not fit, as a warning or an error."""
    if not problems:
        return
    text = "\n".join(f"  {path}: {error}" for path, error in [*problems][:_MOST_NAMED])
    if not skip_mismatch:
        raise FileError(
            f"A total of {len(problems)} objects could not be loaded from the file:\n"
            f"{text}\n",
            remedy="Build the model as it was saved, or pass skip_mismatch=True.",
        )
    warnings.warn(f"Not loaded from the file:\n{text}", stacklevel=4)


def assign_all(pairs: Iterable[tuple[Variable, Any]]) -> None:
    """Assign arrays to Variables, all of them or, if making one fails, none."""
    pairs = list(pairs)
    with Interrupts() as interrupts:
        interrupts.delay_in(_assign)  # Ctrl-C waits
        _assign(pairs)


def _assign(pairs):
    with assign_lock:  # a step of another thread starts from all of them, or none
        for variable, array in pairs:
            variable.assign(array)


def _prepare_load(obj: Any, store: Store) -> Callable[[], list]:
    """Check the weights of an object; return a function that gives its assignments.

    Raises:
        Exception: the weights do not fit.
    """
    own = getattr(type(obj), "load_own_variables", None)
    if own is WeightAccess.load_own_variables:
        obj._mk_check_store(store)
        return lambda: _assignments(obj, store)
    pairs = _assignments(obj, store)  # a class of the user's own shows what it takes
    return lambda: pairs


def _assignments(obj, store):
    """[(variable, array)] that the object assigns; they are recorded, not made."""
    with bound({}) as frame:
        obj.load_own_variables(store)
    values, variables = frame.bindings.values, frame.bindings.new_variables
    return [(variable, values[id(variable)]) for variable in variables]


def _owns_variables(obj):
    """True if the object must find weights in the file."""
    if isinstance(obj, Optimizer):
        return False
    own = getattr(obj, "_mk_own_variables", None)
    return bool(own()) if own else False
