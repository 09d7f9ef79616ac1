"""How a layer gets its weights: `build`, from the shapes of its first call."""

import functools
import inspect
import threading
from typing import Any

import jax

from minikeras.core.bridge import Frame
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.members import overrides, whole
from minikeras.core.symbolic import output_spec
from minikeras.core.unknown_sizes import shown_shape
from minikeras.layers import arguments as arg

# Building runs the user's code on tracers, which other threads must not get hold of.
building = threading.RLock()


class LazyBuild:
    """Mix-in of Layer: everything around `build`."""

    _mk_building = False
    _mk_build_shapes: Any
    _mk_initial_weights: Any
    name: str

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _in_scope(vars(cls)["build"])

    def build(self, input_shape=None):
        """Create the weights; a subclass defines it."""
        self.built = True

    def _mk_build_at_init(self):
        """End of the constructor of a layer without weights: there is no more to do,
        unless a subclass has a `build` of its own."""
        self.built = type(self).build is LazyBuild.build

    def _mk_weight(self, name, shape, settings_of=None, **more):
        """A weight as the constructor's `<name>_initializer`, `_regularizer` and
        `_constraint` want it; `settings_of` if they have another name."""
        settings = {
            key: getattr(self, f"{settings_of or name}_{key}", None)
            for key in ("initializer", "regularizer", "constraint")
        }
        return self.add_weight(name=name, shape=shape, **settings, **more)

    def _mk_build_for(self, given):
        """Build from the shapes of a call's arguments, unless another thread has."""
        with building:
            if not self.built:
                self._mk_build_now(given)

    def _mk_build_now(self, given):
        shapes = {
            f"{name}_shape": arg.map_leaves(_build_shape, value)
            for name, value in given.items()
            if name != "mask" and arg.is_tensor_tree(value)
        }
        if overrides(self, "build", LazyBuild):
            with Frame(path=self._mk_scope(), autocast=None):
                self.build(**self._mk_shapes_for(self.build, shapes))
        else:
            self._mk_build_shapes = shapes
            if any(not layer.built for layer in self._mk_flatten_layers(False)):
                self._mk_build_by_run(given)
            self.build()
        self.built = True
        self._mk_lock()
        if self._mk_initial_weights is not None:
            self.set_weights(self._mk_initial_weights)

    def _mk_build_by_run(self, given):
        """Trace `call` once so that sub-layers see their input shapes."""
        symbolic = {
            name: jax.tree_util.tree_map(_as_symbolic, value)
            for name, value in given.items()
        }
        output_spec(lambda **kwargs: self.call(**kwargs), (), symbolic)

    def _mk_shapes_for(self, function, shapes):
        """The shapes by the parameter names of `build` or `compute_output_shape`."""
        parameters = list(inspect.signature(function).parameters.values())
        names = [p.name for p in parameters if p.kind < 2 or p.kind == 3]
        if not names:
            return {}
        if len(names) == 1 or (names[0] not in shapes and len(shapes) == 1):
            return {names[0]: next(iter(shapes.values()), None)}
        for p in parameters:
            if p.name not in shapes and p.default is p.empty and p.kind < 2:
                raise ValueError(self._mk_unknown_shape(function.__name__, p.name))
        return {name: shapes[name] for name in names if name in shapes}

    def _mk_unknown_shape(self, function, name):
        where = f"{type(self).__name__}.{function}()"
        if not name.endswith("_shape"):
            return (
                f"{where} has the argument `{name}`, which does not end in `_shape`. "
                "With several, each is named after an argument of `call()`."
            )
        return (
            f"{where} has the argument `{name}`, but `call()` does not have argument "
            f"`{name.removesuffix('_shape')}`, or got no array for it."
        )

    def get_build_config(self):
        """The input shapes the layer was built with, for a file; None before."""
        shapes = self._mk_build_shapes
        if not shapes:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config):
        """Build as `get_build_config()` says."""
        if not config:
            return
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif "shapes_dict" in config:
            self.build(**config["shapes_dict"])


def _build_shape(x):
    """Shape of an argument; a batch size that stands in for None is None again."""
    return (*shown_shape(x)[:1], *x.shape[1:])


def _as_symbolic(x):
    return KerasTensor(x.shape, x.dtype) if isinstance(x, jax.Array) else x


def _in_scope(build):
    """Run a `build` under its layer's name; afterwards the layer is complete."""

    complete = whole(build)

    @functools.wraps(build)
    def scoped(self, *args, **kwargs):
        if self._mk_building:  # super().build()
            return build(self, *args, **kwargs)
        object.__setattr__(self, "_mk_building", True)
        try:
            with Frame(path=self._mk_scope(), autocast=None):
                complete(self, *args, **kwargs)
        except BaseException:
            self._mk_forget()
            raise
        finally:
            object.__setattr__(self, "_mk_building", False)
        given = inspect.signature(build).bind(self, *args, **kwargs).arguments
        self._mk_build_shapes = dict(list(given.items())[1:])
        self.built = True
        self._mk_lock()
        return None

    return scoped
