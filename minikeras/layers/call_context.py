"""What a call does with its arguments: casts, masks, and arguments from around it."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp

from minikeras.core import host_calls
from minikeras.core.bridge import current, get_mask, set_mask
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic
from minikeras.core.variable import Variable, is_sparse
from minikeras.layers.shapes import is_tensor, is_tensor_tree, map_leaves


class CallContext:
    """Mix-in of Layer: inputs are cast, masks and registered arguments filled in.

    A layer takes the masks of its inputs as arguments, and attaches the mask of its
    `compute_mask` to its outputs.
    """

    _mk_context_arguments: tuple[str, ...] = ()
    _mk_called = False
    name: str
    supports_masking = False
    _mk_masks_itself = False  # does the class have a `compute_mask` of its own?

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._mk_masks_itself = cls.compute_mask is not CallContext.compute_mask

    def _mk_convert(self, x):
        """An argument as an array of the input dtype; KerasTensors are not changed."""
        if isinstance(x, Variable):
            x = x.value
        if isinstance(x, jax.Array):
            if self.autocast and jnp.issubdtype(x.dtype, jnp.floating):
                if x.dtype.name != self.input_dtype:
                    # A mask belongs to an array, and the cast one is another array.
                    cast = x.astype(self.input_dtype)
                    set_mask(cast, get_mask(x))
                    return cast
            return x
        if isinstance(x, KerasTensor):
            return x
        new = self._mk_dtype_policy.convert_input(x, self.autocast, self.input_dtype)
        return new if current().host is None else host_calls.carry(x, new)

    def _mk_casts(self):
        return self.autocast and self.compute_dtype != self.variable_dtype

    def _mk_check_positional(self, args):
        """Raise ValueError if an argument passed by position is no array."""
        for x in jax.tree_util.tree_leaves(args, is_leaf=is_sparse):
            if not is_tensor(x) and not hasattr(x, "__array__"):
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: Only input tensors may be "
                    f"passed as positional arguments, got {x!r} ({type(x).__name__}). "
                    "Pass other arguments by keyword."
                )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs: by default the mask of the inputs.

        Args:
            inputs: first argument of `call`.
            previous_mask: mask of the inputs, a bool array, a tree of them, or None.
        """
        return previous_mask

    def _mk_take_masks(self, signature, arguments):
        """Fill in `mask` or `<name>_mask` where the caller has not passed them.

        As in Keras, `mask` belongs to calls with one array argument. With several, each
        argument has a mask of its own: `query_mask`, `value_mask`.

        Args:
            signature: the `CallSignature` of `call`.
            arguments: {parameter: value} of the call; masks are added.

        Returns:
            The masks of the first argument, a tree; None where there are none.
        """
        first = arguments.get(signature.first)
        masks = map_leaves(get_mask, first)
        # A list of arrays is one argument. Its masks are a list, too: Concatenate gets
        # `mask=[...]`, attention by three arguments gets three masks.
        tensors = [k for k, x in arguments.items() if k != "mask" and is_tensor_tree(x)]
        if len(tensors) > 1:
            for name in tensors:
                # A mask that the caller passed counts, also where the array has one.
                key = f"{name}_mask"
                if key in signature.names and arguments.get(key) is None:
                    own = map_leaves(get_mask, arguments[name])
                    if jax.tree_util.tree_leaves(own):
                        arguments[key] = own
        elif signature.has_mask and arguments.get("mask") is None:
            # `tree_leaves` drops None, so a tree without masks has no leaves, and
            # `call` keeps its own default.
            if jax.tree_util.tree_leaves(masks):
                arguments["mask"] = masks
            elif "mask" not in arguments and any_symbolic(arguments.values()):
                # Keras records `mask=None` in the node, and so in the file.
                arguments["mask"] = None
        return masks if arguments.get("mask") is None else arguments["mask"]

    def _mk_give_masks(self, inputs, outputs, masks):
        """Attach masks to the outputs of a call, or warn that the layer drops them.

        Args:
            inputs: first argument of the call.
            outputs: tree of arrays.
            masks: of the inputs, as `_mk_take_masks` returns them.
        """
        has_masks = bool(jax.tree_util.tree_leaves(masks))
        if not self._mk_masks_itself and not has_masks:
            return
        if not self.supports_masking and not self._mk_masks_itself:
            warnings.warn(
                f"Layer {self.name!r} ({type(self).__name__}) was passed an input with "
                "a mask, does not use it and drops it. Set `supports_masking = True` "
                "to pass it on.",
                stacklevel=3,
            )
            return
        leaves = jax.tree_util.tree_leaves(outputs, is_leaf=is_sparse)
        # Masks that `call` has set itself, such as those of layers within, stay.
        if all(get_mask(x) is not None for x in leaves if is_tensor(x)):
            return
        masks = self.compute_mask(inputs, masks if has_masks else None)
        if masks is None:
            return
        found = jax.tree_util.tree_leaves(masks, is_leaf=lambda x: x is None)
        for x, mask in zip(leaves, found, strict=False):
            if mask is not None and is_tensor(x) and get_mask(x) is None:
                set_mask(x, mask)

    def _mk_register_call_context_args(self, *names: str) -> None:
        """Pass call arguments of these names on to the layers within, like `training`.

        If such an argument is given to this layer, it reaches every layer below that
        has registered its name and has it as a parameter of `call`.

        Raises:
            RuntimeError: the layer has been called already.
        """
        if self._mk_called:
            raise RuntimeError(
                f"Cannot add call-context args after the layer has been called. "
                f"Register {names} in the constructor of {self.name!r}."
            )
        self._mk_context_arguments = tuple({*self._mk_context_arguments, *names})

    @property
    def _mk_call_context_args(self):
        return {"training", *self._mk_context_arguments}

    def _mk_take_context(self, signature, context, kwargs):
        """Separate registered arguments from the other keywords of a call.

        Args:
            signature: the `CallSignature` of `call`.
            context: {name: value} from the layers around.
            kwargs: keywords of the call.

        Returns:
            ({name: value} for the layers within, keywords for `call`).
        """
        names = self._mk_context_arguments
        passed = {k: v for k, v in kwargs.items() if k in names and v is not None}
        known = {k: v for k, v in (context | passed).items() if k in names}
        kwargs = {k: v for k, v in kwargs.items() if k not in names}
        return context | passed, kwargs | {
            k: v for k, v in known.items() if k in signature.names
        }
