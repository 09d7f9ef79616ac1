"""Layer: the base class of all layers and models."""

import functools
from collections.abc import MutableMapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import host_calls, registry
from minikeras.core.bridge import Frame, bound, current, isolated
from minikeras.core.dtype_policy import get_policy
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.members import Alias, deep_copy, overrides
from minikeras.core.shape_inference import output_spec
from minikeras.core.symbolic import Node, Operation, any_symbolic
from minikeras.core.tracebacks import shorten
from minikeras.core.variable import Variable
from minikeras.layers.building import LazyBuild, shape_tuple
from minikeras.layers.call_context import CallContext
from minikeras.layers.call_errors import explain
from minikeras.layers.call_signature import signature_of
from minikeras.layers.configuration import ConstructorConfig
from minikeras.layers.input_spec import check_input
from minikeras.layers.known_outputs import known_outputs
from minikeras.layers.shapes import (
    is_tensor_tree,
    map_leaves,
    map_shapes,
    shapes_of,
)
from minikeras.layers.tracking import StateTracking
from minikeras.layers.weight_access import WeightAccess


class Layer(
    StateTracking, WeightAccess, LazyBuild, ConstructorConfig, CallContext, Operation
):
    """A computation with weights: `outputs = layer(inputs)`.

    A subclass defines `__init__` (configuration), `build(input_shape)` (weights, with
    `self.add_weight`) and `call(inputs)` (the computation, with `keras.ops` or JAX).
    `call` may also take `training` and `mask`, which reach it even if a layer around
    does not pass them.

    Args:
        activity_regularizer: function from an output to a penalty of the loss, or the
            name of a regularizer; the penalty is divided by the batch size.
        trainable: bool, whether optimizers update the weights.
        dtype: dtype or dtype policy of weights and computation; None: the default
            policy.
        autocast: bool, whether float inputs are cast to the compute dtype.
        name: string without "/", unique by default.
        **kwargs: the shape of the input, for `Sequential`: `input_shape` (tuple without
            the batch size) and `batch_size` (int); or `input_dim` (int, for the shape
            `(input_dim,)`) and `batch_size`; or `batch_shape`, also as
            `batch_input_shape` (tuple with the batch size). `weights`: list of arrays
            that `set_weights` takes after `build`.

    Raises:
        ValueError: unknown keyword, or `trainable` is no bool.

    >>> class Scale(keras.Layer):
    ...     def build(self, input_shape):
    ...         self.k = self.add_weight(input_shape[-1:], "ones", name="k")
    ...     def call(self, x):
    ...         return x * self.k
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    _mk_untracked = frozenset(
        {"_mk_init_arguments", "_mk_inbound_nodes", "_mk_outbound_nodes", "_mk_remat"}
    )
    _mk_locked = _mk_is_model = False
    _convert_input_args = True  # False: `call` takes lists of numbers, strings, …

    _losses = Alias("_mk_losses")
    _dtype_policy = Alias("_mk_dtype_policy")
    _register_call_context_args = Alias("_mk_register_call_context_args")
    _call_context_args = Alias("_mk_call_context_args")
    __copy__ = deep_copy

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._mk_has_user_code |= not cls.__module__.startswith("minikeras.")
        parts = (getattr(base, "_mk_untracked", ()) for base in cls.__mro__)
        cls._mk_untracked = frozenset().union(*parts)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name)
        self.activity_regularizer = registry.family("regularizers").get(
            activity_regularizer
        )
        if (units := kwargs.pop("input_dim", None)) is not None:
            kwargs["input_shape"] = (units,)
        if (shape := kwargs.pop("input_shape", None)) is not None:
            batch = kwargs.pop("batch_size", None)
            self._mk_input_shape_arg = (batch, *shape_tuple(shape))
        for key in ("batch_input_shape", "batch_shape"):
            if (shape := kwargs.pop(key, None)) is not None:
                self._mk_input_shape_arg = shape_tuple(shape)
        self._mk_initial_weights = kwargs.pop("weights", None)
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: "
                f"{kwargs}"
            )
        if not isinstance(trainable, bool):
            raise ValueError(
                f"{type(self).__name__}: expected `trainable` to be a boolean, got "
                f"{trainable!r}."
            )
        self._mk_dtype_policy = get_policy(dtype)
        self.autocast = autocast
        self._mk_trainable = bool(trainable)
        self.built = False
        self.supports_masking = self.supports_masking or self._mk_masks_itself
        self.input_spec = None
        self._mk_losses = []
        self._mk_path = None
        self._mk_remat = current().remat
        self._mk_build_shapes = None

    # -- dtypes -------------------------------------------------------------------

    @property
    def dtype_policy(self) -> Any:
        """The layer's `DTypePolicy`."""
        return self._mk_dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value):
        # As in Keras: in a map of policies, one policy replaces the entry of this layer
        # alone, not the map, which other layers share.
        policy, own = get_policy(value), self._mk_dtype_policy
        if isinstance(own, MutableMapping) and not isinstance(policy, MutableMapping):
            if self.path in own:
                del own[self.path]
            own[self.path] = policy
        else:
            self._mk_dtype_policy = policy

    @property
    def dtype(self) -> str:
        """Name of the dtype of the weights."""
        return self._mk_dtype_policy.of(self).variable_dtype

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """Name of the dtype of the computation."""
        return self._mk_dtype_policy.of(self).compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How the weights are quantized, such as `"int8"`, or None."""
        return self._mk_dtype_policy.of(self).quantization_mode

    input_dtype = compute_dtype

    # -- the call -----------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; the first call also builds the weights.

        Args:
            *args, **kwargs: as `call` takes them. Arrays are converted and cast,
                `training` and masks filled in. If one of them is a KerasTensor, the
                call is recorded in a graph.

        Returns:
            What `call` returns: arrays, or KerasTensors in their place.
        """
        self._mk_check_initialized()
        if self._mk_is_model and self._mk_subtree_state().on_host:
            if current().host is None and not current().in_pipeline:
                return host_calls.on_known(Layer.__call__, (self, *args), kwargs)
        try:
            signature = signature_of(self)
            args, kwargs, arguments, settings = self._mk_parse_call(
                signature, args, kwargs
            )
            symbolic, frame = any_symbolic(arguments.values()), current()
            first = arguments.get(signature.first)
            masks = self._mk_take_masks(signature, arguments)
            if self.input_spec is not None:
                self._mk_check_input(first)
            # An outermost call starts with no losses. Within a model or a step the one
            # around collects them.
            if not frame.path and frame.losses is None and not symbolic:
                self._mk_clear_losses()
            with Frame(path=self._mk_scope(), **settings):
                if not self.built:
                    self._mk_build_for(arguments)
                # HLO and profiles carry the names of layers.
                with jax.named_scope(self.name):
                    if symbolic:
                        outputs = self._mk_record(signature, arguments, args, kwargs)
                    else:
                        arranged, named = signature.arrange(arguments)
                        run = self.rematerialized_call(self.call)
                        outputs = run(*arranged, **named)
                if self.activity_regularizer is not None and not symbolic:
                    for x in jax.tree_util.tree_leaves(outputs):
                        # A batch may be empty: its penalty is 0, not NaN.
                        batch = max(x.shape[0], 1) if x.ndim else 1
                        self.add_loss(self.activity_regularizer(x) / batch)
            self._mk_give_masks(first, outputs, masks)
            if not self._mk_called:
                # Past `__setattr__`, which would drop what is known of the state.
                object.__setattr__(self, "_mk_called", True)
            return outputs
        except Exception as error:
            explain(error, self, args, kwargs)
            shorten(error)
            raise

    def _mk_parse_call(self, signature, args, kwargs):
        """Convert the arguments of a call, and decide what the code within sees.

        Args:
            signature: the `CallSignature` of `call`.
            args, kwargs: as the caller passed them.

        Returns:
            (args, kwargs, {parameter of `call`: value}, settings of the `Frame`).
        """
        frame = current()
        training, context = kwargs.get("training"), frame.context
        if not signature.has_training:
            kwargs.pop("training", None)
        if self._mk_context_arguments:
            context, kwargs = self._mk_take_context(signature, context, kwargs)
        if self._convert_input_args:
            args, kwargs = map_leaves(self._mk_convert, (args, kwargs))
        arguments = signature.bind(args, kwargs)
        # The order is Keras's: the argument, then the call around, then the default.
        if training is None:
            training = arguments.get("training", frame.training)
        if getattr(training, "ndim", 0) > 0:
            raise TypeError(
                f"{type(self).__name__} {self.name!r}: `training` says whether to "
                f"train, so it must be True, False or None, got an array of shape "
                f"{tuple(training.shape)}. Inputs beyond the first go in a list, or by "
                "the names of `call()`'s arguments."
            )
        if training is None and "training" not in arguments:
            training = signature.default_training
        if signature.has_training and training is not None:
            arguments["training"] = training
        if self._convert_input_args:
            self._mk_check_positional(args)
        autocast = self.compute_dtype if self._mk_casts() else None
        settings = {"training": training, "autocast": autocast, "context": context}
        return args, kwargs, arguments, settings

    def _mk_check_input(self, inputs):
        check_input(self.input_spec, inputs, self.path)

    def _mk_record(self, signature, arguments, args, kwargs):
        """Record a symbolic call as a node; returns its output KerasTensors.

        Args:
            signature: the `CallSignature` of `call`.
            arguments: {parameter of `call`: value}, masks and mode filled in.
            args, kwargs: the call as it was written.
        """
        arranged, named = signature.arrange(arguments)
        outputs = self.compute_output_spec(*arranged, **named)
        # As in Keras, the node of a call on one array has the masks and the mode that
        # nobody passed. The node of any other call is the call as it was written.
        alone = len(args) == 1 and isinstance(args[0], KerasTensor)
        if alone and not any_symbolic(kwargs.values()):
            args, kwargs = arranged, named
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; a subclass defines it.

        Args:
            *args, **kwargs: arrays of inputs, and settings of the subclass.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call` method implemented."
        )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the output KerasTensors of a call without recording it.

        Args:
            *args, **kwargs: as `call` takes them, with KerasTensors for arrays.
        """
        return self.compute_output_spec(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return shape and dtype of the outputs, as KerasTensors.

        They come from `compute_output_shape` if a subclass defines it, else from a
        trace of `call`.

        Args:
            *args, **kwargs: as `call` takes them, with KerasTensors for arrays.

        Returns:
            The tree of outputs, as KerasTensors.
        """
        if overrides(self, "compute_output_shape", Layer):
            return self._mk_spec_from_shape(args, kwargs)

        autocast = self.compute_dtype if self._mk_casts() else None

        def run(*args, **kwargs):
            args, kwargs = map_leaves(self._mk_convert, (args, kwargs))
            with Frame(autocast=autocast):
                return self.call(*args, **kwargs)

        trace = functools.partial(output_spec, run, args, kwargs)
        return known_outputs.of(self, args, kwargs, trace)

    def _mk_spec_from_shape(self, args, kwargs):
        """`compute_output_spec` by the subclass's own `compute_output_shape`."""
        signature = signature_of(self)
        shapes = {
            f"{name}_shape": shapes_of(value)
            for name, value in signature.bind(args, kwargs).items()
            if is_tensor_tree(value)
        }
        shapes = self._mk_shapes_for(self.compute_output_shape, shapes)
        out = self.compute_output_shape(**shapes)
        return map_shapes(lambda s: KerasTensor(s, self.compute_dtype), out)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape(s) of the output for input shape(s), by tracing `call`.

        Args:
            *args: shapes of the arguments of `call`, tuples with None for unknown
                sizes, or trees of them.
            **kwargs: shapes by name, `<name>_shape`.

        Returns:
            Tuple, or tree of tuples.

        Raises:
            NotImplementedError: there is no `call` to trace.
        """
        if not overrides(self, "call", Layer):
            raise NotImplementedError(
                f"Layer {type(self).__name__} does not have a `compute_output_shape` "
                "method implemented, nor a `call` to trace."
            )

        def symbolic(shapes):
            return map_shapes(lambda s: KerasTensor(s, self.input_dtype), shapes)

        inputs = [symbolic(shapes) for shapes in args]
        named = {k.removesuffix("_shape"): symbolic(v) for k, v in kwargs.items()}
        if "input" in named:
            inputs.append(named.pop("input"))
        # The call may build the layer, which must be as before: somebody only asks.
        with self._mk_unchanged(), isolated():
            outputs = self(*inputs, **named)
        return map_leaves(lambda x: x.shape, outputs)

    def _mk_scope(self):
        """The name scope of the layer's weights, a tuple of names."""
        # Decided by the first call: a layer that is shared keeps its first path.
        if self._mk_path is None:
            self._mk_path = (*current().path, self.name)
        return self._mk_path

    @property
    def path(self) -> str:
        """The name, after those of the layers around it: `"model/block/dense"`."""
        return "/".join(self._mk_path or (*current().path, self.name))

    # -- losses -------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Add scalars to the loss of the model; called inside `call`.

        Args:
            loss: scalar array or number, or a list of them.

        Raises:
            ValueError: something else, such as a KerasTensor.
        """
        collected = current().losses
        for x in jax.tree_util.tree_leaves(loss):
            if not isinstance(x, (jax.Array, Variable, float, int, np.generic)):
                raise ValueError(
                    f"add_loss() takes arrays, got {x!r} ({type(x).__name__}). Call "
                    "it inside `call()`, on something computed from the inputs."
                )
            (self._mk_losses if collected is None else collected).append(jnp.asarray(x))

    def _mk_clear_losses(self):
        for layer in self._mk_flatten_layers():
            if layer._mk_losses:
                layer._mk_losses.clear()

    @property
    def losses(self) -> list:
        """Scalars from `add_loss` in the last call, and of weight regularizers."""
        # Inside of a step they are in the frame: as attributes, tracers would stay.
        collected = current().losses
        if collected is None:
            found = [x for layer in self._mk_flatten_layers() for x in layer._mk_losses]
        else:
            found = list(collected)
        for v in self.trainable_weights:
            if v.regularizer is not None:
                found.append(v.regularizer(v.value))
        return found

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """Run `call` as a pure function of the values of the layer's Variables.

        Inputs are not cast, and as in Keras, layers within are in training mode only if
        `call` passes them `training=`.

        Args:
            trainable_variables: list of arrays, in the order of the attribute
                `trainable_variables`.
            non_trainable_variables: list of arrays, in the order of the attribute
                `non_trainable_variables`.
            *args, **kwargs: as `call` takes them.
            return_losses: also return the list of `losses`?

        Returns:
            (outputs, new non-trainable values) or (outputs, values, losses).

        Raises:
            ValueError: the layer is not built, or a list has another length.
        """
        self._mk_check_initialized()
        if not self.built:
            raise ValueError(
                f"stateless_call: layer {self.name!r} is not built: it has no "
                "variables to stand in for. Call it on data or `build()` it first."
            )
        trainable, others = self.trainable_variables, self.non_trainable_variables
        values = {}
        for name, own, passed in (
            ("trainable_variables", trainable, trainable_variables),
            ("non_trainable_variables", others, non_trainable_variables),
        ):
            if len(own) != len(passed):
                raise ValueError(
                    f"stateless_call: {name} must hold {len(own)} arrays, as "
                    f"layer.{name} does, got {len(passed)}."
                )
            values |= {id(v): jnp.asarray(x) for v, x in zip(own, passed, strict=True)}
        losses = [] if return_losses else None
        signature = signature_of(self)
        if not signature.has_training:
            kwargs.pop("training", None)
        with bound(values, losses=losses):
            outputs = self.call(*args, **kwargs)
            collected = self.losses if return_losses else None
        updated = [values[id(v)] for v in others]
        return (outputs, updated, collected) if return_losses else (outputs, updated)

    def _mk_check_initialized(self):
        if "_mk_dtype_policy" not in vars(self):
            raise RuntimeError(
                f"In layer {type(self).__name__!r}, you forgot to call "
                "`super().__init__()` as the first statement of `__init__()`."
            )

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
