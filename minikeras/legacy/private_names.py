"""Private names of Keras that other packages import, and what they get here.

Modules below `keras.src` are private, and change with each version of Keras. Packages
use some of them all the same: the table has those that minikeras has under another
name.
"""

import contextlib
import functools
import importlib
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.saving import h5_weights, safety

# Path below `keras.src`, ours below `minikeras`, the package that needs it.
_TABLE = """
backend.get_keras_mask               core.bridge.get_mask                   keras-hub
backend.set_keras_mask               core.bridge.set_mask                   keras-hub
backend.standardize_shape            .standardize_shape                     keras-rs
backend.jax.random.jax_draw_seed     random.seed_generator.draw_seed        keras-rs
distribution.distribution            .distribution                          keras-hub
distribution.distribution_lib.distribution  .distribution                   keras-hub
losses.losses.LossFunctionWrapper    losses.loss.LossFunctionWrapper        keras-hub
saving.saving_lib.H5IOStore          .H5IOStore                             keras-hub
saving.saving_lib.load_model         saving.load_model                      scikeras
saving.saving_lib.save_model         saving.save_model                      scikeras
saving.serialization_lib.in_safe_mode  core.serialization.in_safe_mode      keras-hub
trainers.data_adapters.data_adapter_utils.class_weight_to_sample_weights \
    data.weights.class_weight_to_sample_weights                             keras-hub
utils.backend_utils.in_grain_data_pipeline  .in_grain_data_pipeline         keras-hub
utils.tracking.no_automatic_dependency_tracking \
    .no_automatic_dependency_tracking                                       keras-rs
"""

# Public modules that are still to come, of which packages import a name of the table.
PLANNED = ("distribution",)
# Modules of packages that import TensorFlow, to use no more of it than the stand-in
# has; other installed packages are told that there is none.
_USE_STAND_IN = (
    "mlflow.keras.autologging.",
    "shap.explainers._gradient.",
    "shap.explainers.tf_utils.",
    "wandb.integration.keras.",
)


def uses_stand_in(module: str) -> bool:
    """Does a module of an installed package work with the stand-in for TensorFlow?

    Args:
        module: its name.
    """
    return f"{module}.".startswith(_USE_STAND_IN)


def table() -> dict[str, tuple[str, str]]:
    """{path below `keras.src`: (ours below `minikeras`, package that needs it)}."""
    rows = (line.split() for line in _TABLE.replace("\\\n", " ").strip().splitlines())
    return {path: (ours, package) for path, ours, package in rows}


def module_of(inner: str) -> types.ModuleType | None:
    """A module with the private names below `keras.src.<inner>`; None if none are.

    Args:
        inner: path of the module, such as `saving.saving_lib`.
    """
    rows = {path: ours for path, (ours, _) in table().items()}
    if not inner or not any(path.startswith(f"{inner}.") for path in rows):
        return None
    module = types.ModuleType(f"{__package__}.{inner}", "Private names of Keras.")
    for path, ours in rows.items():
        holder, _, name = path.rpartition(".")
        if holder == inner:
            setattr(module, name, _object(ours))
    planned = inner in PLANNED
    vars(module)["lacking"] = _lacking_planned if planned else _lacking
    return module


def _object(ours):
    holder, _, name = ours.rpartition(".")
    module = f"minikeras.{holder}" if holder else __name__
    return getattr(importlib.import_module(module), name)


def _lacking(name):
    return (
        "Modules below keras.src are private to Keras; of them only the names are "
        "here that widely used packages import. Use a public name of keras instead."
    )


def _lacking_planned(name):
    return "Keras has it, and it is planned here."


def standardize_shape(shape: Any) -> tuple[int | None, ...]:
    """A shape as a tuple of Python ints and None.

    Args:
        shape: any iterable of sizes.
    """
    return tuple(None if size is None else int(size) for size in shape)


def distribution() -> None:
    """The distribution that is set: none, arrays lie where JAX puts them."""
    return None


def in_grain_data_pipeline() -> bool:
    """Does Grain call the code that runs, so that it should stay in NumPy?"""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "grain":
            return True
        frame = frame.f_back
    return False


def no_automatic_dependency_tracking(method: Callable) -> Callable:
    """Decorate a method: the attributes that it sets hold no state of the layer.

    Args:
        method: method of a layer.
    """

    @functools.wraps(method)
    def untracked(self, *args, **kwargs):
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        finally:
            names = {n for n, v in vars(self).items() if v is not before.get(n, before)}
            object.__setattr__(self, "_mk_untracked", self._mk_untracked | names)
            self._mk_forget()

    return untracked


class H5IOStore:
    """Arrays in the groups of an HDF5 file, in the layout of `.weights.h5` files.

    Args:
        path_or_io: path, or binary file object.
        archive: None; others open the member of an archive themselves.
        mode: "r" reads, "w" writes.
    """

    def __init__(self, path_or_io: Any, archive: Any = None, mode: str = "r"):
        if mode not in ("r", "w"):
            raise ValueError(f"H5IOStore: mode must be 'r' or 'w', got {mode!r}.")
        if archive is not None:
            raise ValueError("H5IOStore: pass a file object in place of an archive.")
        self._stack = contextlib.ExitStack()
        if mode == "w":
            file = late_import("h5py").File(path_or_io, "w")
        else:
            opened = self._stack.enter_context(safety.open_regular(path_or_io))
            file = safety.open_h5(opened)
        self._file = self._stack.enter_context(file)

    def __bool__(self):
        return True

    def make(self, path: str, metadata: Mapping | None = None) -> "_Group":
        """A group to set arrays in: `store.make("a/b")["kernel"] = array`.

        Args:
            path: path of the group.
            metadata: attributes of the group.
        """
        group = self._file.require_group(f"{path}/vars")
        group.attrs.update(metadata or {})
        return _Group(group)

    def get(self, path: str) -> h5_weights.Store:
        """The arrays of a group as a mapping; an empty one if it is not there.

        Args:
            path: path of the group.
        """
        return h5_weights.Store(self._file.get(f"{path}/vars"))

    def has_path(self, path: str) -> bool:
        """Is there something at a path?

        Args:
            path: path in the file.
        """
        return path in self._file

    def close(self) -> None:
        """Finish the file."""
        self._stack.close()


class _Group:
    """Writes arrays into an HDF5 group."""

    def __init__(self, group):
        self._group = group

    def __setitem__(self, key, value):
        h5_weights.write_array(self._group, key, np.asarray(value))
