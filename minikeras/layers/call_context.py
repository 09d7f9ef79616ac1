"""What reaches a call by itself: masks, and arguments registered by name."""

import warnings

import jax

from minikeras.core.bridge import get_mask, set_mask
from minikeras.core.symbolic import any_symbolic
from minikeras.core.variable import is_sparse
from minikeras.layers.shapes import is_tensor, is_tensor_tree, map_leaves


class CallContext:
    """Mix-in of Layer: masks travel with arrays, registered arguments with calls."""

    _mk_context_arguments: tuple[str, ...] = ()
    _mk_called = False
    name: str
    supports_masking = False
    _mk_masks_itself = False  # does the class have a `compute_mask` of its own?

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._mk_masks_itself = cls.compute_mask is not CallContext.compute_mask

    def compute_mask(self, inputs, previous_mask):
        """The outputs' mask: the inputs' by default."""
        return previous_mask

    def _mk_take_masks(self, spec, given):
        """Fill `mask` or the `<name>_mask`s; return the first input's masks.

        As in Keras `mask` belongs to calls with one tensor argument; with more of
        them, each has a mask of its own.
        """
        first = given.get(spec.first)
        masks = map_leaves(get_mask, first)
        tensors = [k for k, x in given.items() if k != "mask" and is_tensor_tree(x)]
        if len(tensors) > 1:
            for name in tensors:
                if f"{name}_mask" in spec.names and given.get(f"{name}_mask") is None:
                    own = map_leaves(get_mask, given[name])
                    if jax.tree_util.tree_leaves(own):
                        given[f"{name}_mask"] = own
        elif spec.has_mask and given.get("mask") is None:
            if jax.tree_util.tree_leaves(masks):
                given["mask"] = masks
            elif "mask" not in given and any_symbolic(given.values()):
                given["mask"] = None
        return masks if given.get("mask") is None else given["mask"]

    def _mk_give_masks(self, inputs, outputs, masks):
        given = bool(jax.tree_util.tree_leaves(masks))
        if not self._mk_masks_itself and not given:
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
        if all(get_mask(x) is not None for x in leaves if is_tensor(x)):
            return
        masks = self.compute_mask(inputs, masks if given else None)
        if masks is None:
            return
        found = jax.tree_util.tree_leaves(masks, is_leaf=lambda x: x is None)
        for x, mask in zip(leaves, found, strict=False):
            if mask is not None and is_tensor(x) and get_mask(x) is None:
                set_mask(x, mask)

    def _mk_register_call_context_args(self, *names):
        """Let call arguments of these names reach the layers within by themselves.

        As `training` does: given to this layer, they reach every layer below that has
        registered them too and takes them in `call`.

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

    def _mk_take_context(self, spec, context, kwargs):
        """(what the layers within get, the call's keywords) of registered arguments."""
        names = self._mk_context_arguments
        given = {k: v for k, v in kwargs.items() if k in names and v is not None}
        known = {k: v for k, v in (context | given).items() if k in names}
        kwargs = {k: v for k, v in kwargs.items() if k not in names}
        return context | given, kwargs | {
            k: v for k, v in known.items() if k in spec.names
        }
