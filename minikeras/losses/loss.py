"""Loss: per-sample values, masked and weighted, reduced to the number to minimize."""

import math

import jax
import jax.numpy as jnp

from minikeras import settings
from minikeras.core import naming
from minikeras.core.bridge import get_mask
from minikeras.core.dtype_policy import get_policy
from minikeras.core.object_repr import describe, visible
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.symbolic import any_symbolic, op
from minikeras.core.variable import convert_to_tensor

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
_REDUCTIONS = (*_MEANS, "sum", "none", None)


def squeeze_or_expand_to_same_rank(x1, x2, expand_rank_1=True):
    """Bring two arrays to one rank where a trailing axis of size 1 tells them apart.

    (n,) beside (n, 1) becomes (n, 1) if `expand_rank_1`; any other trailing 1 goes.

    >>> a, b = squeeze_or_expand_to_same_rank(jnp.ones((3, 2)), jnp.ones((3, 2, 1)))
    >>> a.shape, b.shape
    ((3, 2), (3, 2))
    """
    if x1.ndim == x2.ndim + 1:
        x2, x1 = squeeze_or_expand_to_same_rank(x2, x1, expand_rank_1)
    elif x2.ndim == x1.ndim + 1 and x2.shape[-1] == 1:
        if x1.ndim == 1 and expand_rank_1:
            x1 = x1[..., None]
        else:
            x2 = jnp.squeeze(x2, -1)
    return x1, x2


def check_weights(sample_weight, values):
    """ValueError unless the weights broadcast to the values they belong to."""
    try:
        jnp.broadcast_shapes(sample_weight.shape, values.shape)
    except ValueError:
        raise ValueError(
            f"sample_weight of shape {sample_weight.shape} does not go with values of "
            f"shape {values.shape}: expected one weight for each sample or each value. "
            "(class_weight makes one for each sample.)"
        ) from None


def align_to_samples(sample_weight, values):
    """Weights of samples, (n,), beside (n, t, ...) values -> (n, 1, ...).

    Without this a sequence as long as the batch would have its time steps weighted,
    which is what Keras does. Weights of other first axes stay as they are.

    >>> align_to_samples(jnp.ones(3), jnp.ones((3, 5))).shape
    (3, 1)
    """
    shape, rank = sample_weight.shape, values.ndim
    if not 0 < len(shape) < rank or shape[0] != values.shape[0]:
        return sample_weight
    if any(n not in (1, m) for n, m in zip(shape, values.shape, strict=False)):
        return sample_weight
    return sample_weight.reshape(shape + (1,) * (rank - len(shape)))


def apply_mask(sample_weight, mask, dtype, reduction):
    """Weights in which masked entries count 0, and do not count in a mean.

    For a mean over all n entries, of which m are kept, kept ones weigh n / m.
    """
    if mask is None:
        return sample_weight
    mask = mask.astype(dtype)
    if reduction in _MEANS:
        kept = jnp.sum(mask)
        mask = mask * (math.prod(mask.shape) / (kept + settings.epsilon()))
    if sample_weight is None:
        return mask.astype(dtype)
    sample_weight, mask = squeeze_or_expand_to_same_rank(
        sample_weight.astype(dtype), mask.astype(dtype)
    )
    return align_to_samples(sample_weight, mask) * mask


def reduce_values(values, sample_weight=None, reduction="sum_over_batch_size"):
    """Per-sample losses -> what `reduction` makes of them.

    `mean_with_sample_weight` divides by the sum of the weights; the other means by
    the number of values, whatever they weigh.
    """
    if reduction in (None, "none") or values.ndim == 0 or values.shape[0] == 0:
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        weight = jnp.sum(sample_weight).astype(total.dtype)
        safe = jnp.where(weight == 0, 1, weight)
        return jnp.where(weight == 0, 0, total / safe)
    return total / math.prod(values.shape)


def weighted_loss(values, sample_weight, mask, reduction, dtype):
    """Per-sample losses, weights and mask -> the reduced loss.

    Args:
        values: (n, ...) losses.
        sample_weight: broadcastable to `values`, or None.
        mask: booleans like `values`; False drops an entry. Or None.
        reduction: one of Keras's reductions.
        dtype: name of the dtype of the result.
    """
    values = convert_to_tensor(values, dtype)
    if sample_weight is not None:
        sample_weight = convert_to_tensor(sample_weight, dtype)
    if mask is not None:
        mask = convert_to_tensor(mask, dtype)
    sample_weight = apply_mask(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        if 0 < sample_weight.ndim < values.ndim:
            sample_weight = align_to_samples(sample_weight, values)
            check_weights(sample_weight, values)
            # A mean over the weights has to count the weight of each value.
            sample_weight = jnp.broadcast_to(sample_weight, values.shape)
        check_weights(sample_weight, values)
        values = values * sample_weight
    return reduce_values(values, sample_weight, reduction)


def loss_function(function):
    """Decorator: `function(y_true, y_pred, …)` takes, and records, KerasTensors too."""
    # Names of their own: `keras.ops` has other functions called as some losses are.
    name = "Loss" + function.__name__.title().replace("_", "")
    tensors = ("y_true", "y_pred")
    return op(function, name=name, tensors=tensors, module="keras.ops.losses")


@op(
    name="Loss",
    tensors=("y_true", "y_pred", "sample_weight"),
    module="keras.ops.losses",
)
def apply_loss(y_true, y_pred, sample_weight=None, *, loss):
    """`loss(y_true, y_pred, sample_weight)` as an op; files hold the loss's config."""
    loss = deserialize_keras_object(loss) if isinstance(loss, dict) else loss
    return loss(y_true, y_pred, sample_weight)


def _mask_of(y):
    return None if isinstance(y, (dict, list, tuple)) else get_mask(y)


class Loss:
    """Base of losses: define `call(y_true, y_pred)` -> (batch, ...) values.

    Args:
        name: unique snake-case class name by default.
        reduction: "sum_over_batch_size" and "mean" (both: divide by the number of
            values), "mean_with_sample_weight" (divide by the sum of the weights),
            "sum", or "none" / None (keep the values).
        dtype: dtype or policy of the computation, `floatx()` by default.

    Raises:
        ValueError: unknown reduction.
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"Invalid value for argument `reduction` of {type(self).__name__}: "
                f"{reduction!r}. Expected one of {list(_REDUCTIONS)}."
            )
        self.name = name or naming.auto_name(type(self).__name__)
        self.reduction = reduction
        self._mk_dtype_policy = get_policy(dtype or settings.floatx())

    @property
    def dtype(self):
        """Name of the dtype that the loss computes in."""
        return self._mk_dtype_policy.compute_dtype

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The reduced loss.

        Args:
            y_true: targets: an array, or a dict or list of them for a `call` that
                takes those.
            y_pred: predictions; entries that their mask calls False are dropped.
            sample_weight: broadcastable to the values of `call`.
        """
        if any_symbolic((y_true, y_pred, sample_weight)):
            return apply_loss(y_true, y_pred, sample_weight, loss=self)
        mask = _mask_of(y_pred)
        with jax.named_scope(self.name):
            y_true, y_pred = self._mk_convert(y_true), self._mk_convert(y_pred)
            values = self.call(y_true, y_pred)
            own_mask = _mask_of(values)
            if own_mask is not None:
                mask = own_mask if mask is None else mask & own_mask
            return weighted_loss(
                values, sample_weight, mask, self.reduction, self.dtype
            )

    def _mk_convert(self, y):
        leaves = (list, dict, tuple)
        if isinstance(y, dict):
            return {key: self._mk_convert(item) for key, item in y.items()}
        if isinstance(y, leaves) and any(hasattr(x, "shape") for x in y):
            items = [self._mk_convert(item) for item in y]
            return type(y)(*items) if hasattr(y, "_fields") else type(y)(items)
        return convert_to_tensor(y, self.dtype)

    def call(self, y_true, y_pred):
        """Per-sample values, before weights and reduction."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `call(y_true, y_pred)` method: define the "
            "losses of the samples there."
        )

    def get_config(self):
        """The constructor's arguments (but `dtype`, as in Keras)."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """A new loss from `get_config()`."""
        return cls(**config)

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)


class LossFunctionWrapper(Loss):
    """The loss of a function.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` -> (batch, ...) values.
        reduction, name, dtype: see `Loss`.
        **kwargs: further arguments of `fn`.
    """

    # Arguments that Keras leaves out of the config: ours has them when they were
    # given, so that a saved loss never comes back as another one.
    _mk_implicit: dict = {}

    def __init__(
        self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn, self._mk_fn_kwargs = fn, kwargs
        vars(self).update(kwargs)  # `loss.from_logits` as in Keras

    def call(self, y_true, y_pred):
        """`fn` of targets and predictions of one rank."""
        if hasattr(y_true, "ndim") and hasattr(y_pred, "ndim"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._mk_fn_kwargs)

    def get_config(self):
        """The constructor's arguments."""
        given = {
            key: value
            for key, value in self._mk_fn_kwargs.items()
            if key not in self._mk_implicit or value != self._mk_implicit[key]
        }
        if type(self) is LossFunctionWrapper:
            given["fn"] = serialize_keras_object(self.fn)
        return {**super().get_config(), **given}

    @classmethod
    def from_config(cls, config):
        """A new loss from `get_config()`."""
        if "fn" in config:
            config = deserialize_keras_object(config)
        return cls(**config)
