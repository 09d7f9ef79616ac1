"""How a layer gets its weights: `build`, from the shapes of its first call."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from minikeras.core import dtypes, registry
from minikeras.core.bridge import Frame
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.members import all_or_nothing, overrides
from minikeras.core.shape_inference import output_spec
from minikeras.core.unknown_sizes import shown_shape
from minikeras.core.variable import Variable
from minikeras.layers.call_signature import POSITIONAL, signature_of
from minikeras.layers.shapes import is_tensor_tree, map_leaves, map_shapes

# Held while a layer is built: the user's code runs on tracers then and may keep them in
# attributes, which another thread would take for arrays. Of two threads that meet an
# unbuilt layer, the second finds it built.
build_lock = threading.RLock()


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

    if TYPE_CHECKING:  # so that a subclass may name its arguments as it likes

        def build(self, *args: Any, **kwargs: Any) -> None: ...

    else:

        def build(self, input_shape=None):
            """Create the weights; a subclass defines it.

            Args:
                input_shape: shape of the input, a tuple with None for unknown sizes;
                    of several inputs a list or dict of shapes. A subclass may have a
                    parameter `<name>_shape` for each array argument of `call` instead.
            """
            if input_shape is not None:
                self._mk_build_shapes = {"input_shape": input_shape}
            self.built = True

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Create a Variable of the layer.

        Args:
            *args: shape, initializer and dtype may be given by position.
            shape: int or tuple of ints, `()` by default.
            initializer: function `f(shape, dtype=)`, or name of an initializer; None:
                Glorot uniform for floats, zeros for other dtypes.
            dtype: dtype of the value; None: the layer's `variable_dtype`.
            trainable: bool, whether optimizers update it.
            autocast: does the layer read it in its compute dtype?
            regularizer: function from the value to a penalty, or its name.
            constraint: function that projects the value after each step, or its name.
            aggregation: how replicas are joined. Kept, not used.
            overwrite_with_gradient: does the gradient replace the value?
            name: string without "/"; unique by default.

        Returns:
            The Variable.

        Raises:
            ValueError: a size of the shape is None.
        """
        self._mk_check_initialized()
        shape, initializer, dtype = _by_position(args, shape, initializer, dtype)
        if shape is not None and None in shape_tuple(shape):
            raise ValueError(
                f"Shapes of weights must be fully defined, got {tuple(shape)} for "
                f"{name!r} of {self.path!r}. Say how large the last axis, or the axis "
                "of the channels, of the inputs is."
            )
        dtype = dtypes.standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        with Frame(path=self._mk_scope()):
            variable = Variable(
                registry.family("initializers").get(initializer),
                shape=() if shape is None else shape,
                dtype=dtype,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        variable.regularizer = registry.family("regularizers").get(regularizer)
        variable.constraint = registry.family("constraints").get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._mk_track(variable)
        return variable

    add_variable = add_weight

    def _mk_build_at_init(self):
        """Mark a layer without weights as built, at the end of its constructor.

        A subclass with a `build` of its own may have weights, so it stays unbuilt.
        """
        self.built = type(self).build is LazyBuild.build

    def _mk_weight(self, name, shape, settings_of=None, **more):
        """Create a weight with the settings of the constructor.

        Args:
            name: of the weight. The attributes `<name>_initializer`,
                `<name>_regularizer` and `<name>_constraint` are its settings.
            shape: tuple of ints.
            settings_of: first part of the names of these attributes, if not `name`.
            **more: other arguments of `add_weight`.
        """
        settings = {
            key: getattr(self, f"{settings_of or name}_{key}", None)
            for key in ("initializer", "regularizer", "constraint")
        }
        return self.add_weight(name=name, shape=shape, **settings, **more)

    def _mk_build_for(self, arguments):
        """Build from the shapes of a call's arguments, unless another thread has."""
        with build_lock:
            if not self.built:
                self._mk_build_now(arguments)

    def _mk_build_now(self, arguments):
        """Build from the arguments of a call, {parameter: value}."""
        shapes = {
            f"{name}_shape": map_leaves(_build_shape, value)
            for name, value in arguments.items()
            if name != "mask" and is_tensor_tree(value)
        }
        if overrides(self, "build", LazyBuild):
            with Frame(path=self._mk_scope(), autocast=None):
                self.build(**self._mk_shapes_for(self.build, shapes))
        else:
            # A layer without a `build` of its own that holds unbuilt layers is run once
            # on shapes, as in Keras: all weights exist before the first step.
            if any(not layer.built for layer in self._mk_flatten_layers(False)):
                self._mk_build_by_run(arguments)
            self.build(next(iter(shapes.values()), None))
        self.built = True
        self._mk_lock()
        if self._mk_initial_weights is not None:
            self.set_weights(self._mk_initial_weights)

    def _mk_build_by_run(self, arguments):
        """Trace `call` once so that sub-layers see their input shapes."""
        symbolic = {
            name: jax.tree_util.tree_map(_as_symbolic, value)
            for name, value in arguments.items()
        }
        output_spec(self.call, *signature_of(self).arrange(symbolic))

    def _mk_shapes_for(self, function, shapes):
        """Arrange shapes by the parameters of `build` or `compute_output_shape`.

        Args:
            function: the method.
            shapes: {parameter of `call` + "_shape": shape}.

        Raises:
            ValueError: it has a parameter without a shape.
        """
        parameters = list(inspect.signature(function).parameters.values())
        names = [p.name for p in parameters if p.kind in (*POSITIONAL, p.KEYWORD_ONLY)]
        if not names:
            return {}
        # The only parameter takes the first shape, whatever its name, as in Keras.
        if len(names) == 1 or (names[0] not in shapes and len(shapes) == 1):
            return {names[0]: next(iter(shapes.values()), None)}
        for p in parameters:
            if p.name not in shapes and p.default is p.empty and p.kind in POSITIONAL:
                raise ValueError(self._mk_unknown_shape(function.__name__, p.name))
        return {name: shapes[name] for name in names if name in shapes}

    def _mk_unknown_shape(self, function, name):
        """The message for a parameter of `build` without a shape."""
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

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the input shapes of `build`, for a file; None before `build`."""
        shapes = self._mk_build_shapes
        if not shapes:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: Any) -> None:
        """Build the layer from the shapes in a config.

        Args:
            config: dict, as `get_build_config()` returns it, or None.
        """
        if not config:
            return
        config = map_shapes(tuple, config)  # JSON has lists
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif "shapes_dict" in config:
            self.build(**config["shapes_dict"])


def _by_position(args, *named):
    """(shape, initializer, dtype) of `add_weight`, by position or by name."""
    # Keras 2 had the name first.
    if args and isinstance(args[0], str):
        raise ValueError(
            f"add_weight: {args[0]!r} came in the place of the shape. Pass `name` as a "
            f"keyword argument: add_weight(name={args[0]!r}, shape=…)."
        )
    if len(args) > len(named):
        raise TypeError(
            f"add_weight takes at most {len(named)} positional arguments (shape, "
            f"initializer, dtype), got {len(args)}."
        )
    for argument, value in zip(
        ("shape", "initializer", "dtype"), named[: len(args)], strict=False
    ):
        if value is not None:
            raise ValueError(
                f"`{argument}` was passed both positionally and as a keyword argument."
            )
    return (*args, *named[len(args) :])


def _build_shape(x):
    """Shape of an argument; the batch size is None where a trace replaced it."""
    # Other sizes stay numbers: a weight cannot have an unknown size.
    return (*shown_shape(x)[:1], *x.shape[1:])


def _as_symbolic(x):
    return KerasTensor(x.shape, x.dtype) if isinstance(x, jax.Array) else x


def _in_scope(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a `build`: weights get the layer's path, and the layer is built afterwards.

    If `build` fails, the layer has no weights, so that it can be built again.
    """
    complete = all_or_nothing(build)

    @functools.wraps(build)
    def scoped(self, *args, **kwargs):
        """Build in the layer's name scope; forget the cached state after an error."""
        if self._mk_building:  # super().build()
            return build(self, *args, **kwargs)
        # Past the layer's own `__setattr__`, which would drop what is known of its
        # state.
        object.__setattr__(self, "_mk_building", True)
        try:
            with Frame(path=self._mk_scope(), autocast=None):
                complete(self, *args, **kwargs)
        except BaseException:
            self._mk_forget()
            raise
        finally:
            object.__setattr__(self, "_mk_building", False)
        arguments = inspect.signature(build).bind(self, *args, **kwargs).arguments
        self._mk_build_shapes = dict(list(arguments.items())[1:])
        self.built = True
        self._mk_lock()
        return None

    return scoped


def shape_tuple(shape: Any) -> tuple:
    """A shape as a tuple; an int is the only size."""
    return (shape,) if isinstance(shape, int) else tuple(shape)
