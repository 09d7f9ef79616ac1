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

_MEAN_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
_REDUCTIONS = (*_MEAN_REDUCTIONS, "sum", "none", None)


def squeeze_or_expand_to_same_rank(x1, x2, expand_rank_1=True):
    """Give two arrays the same rank if they differ by a trailing axis of size 1.

    (n,) with (n, 1) becomes (n, 1) if `expand_rank_1`. In all other cases the trailing
    axis is removed.

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


def _weights_error(sample_weight, values):
    return ValueError(
        f"sample_weight of shape {sample_weight.shape} does not go with values of "
        f"shape {values.shape}: expected one weight for each sample or each value. "
        "(class_weight makes one for each sample.)"
    )


def broadcast_weights(sample_weight, values):
    """The weights in the shape of the values; ValueError if they do not broadcast."""
    try:
        return jnp.broadcast_to(sample_weight, values.shape)
    except ValueError:
        raise _weights_error(sample_weight, values) from None


def align_to_samples(sample_weight, values):
    """Reshape (n,) sample weights to (n, 1, ...) for (n, t, ...) values.

    Plain broadcasting would align (n,) with the last axis: with as many time steps as
    samples, Keras weights the time steps. Weights with other first axes are returned
    unchanged.

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
    """Multiply the weights by the mask, so that masked entries do not count in a mean.

    The means of Keras divide by all n entries. So if the mask keeps m of them, each
    of these gets the weight n / m.
    """
    if mask is None:
        return sample_weight
    mask = mask.astype(dtype)
    if reduction in _MEAN_REDUCTIONS:
        # epsilon() as in Keras: a mask without a True gives weights of 0, not NaN.
        kept = jnp.sum(mask) + settings.epsilon()
        mask = mask * (math.prod(mask.shape) / kept)
    if sample_weight is None:
        return mask.astype(dtype)
    sample_weight, mask = squeeze_or_expand_to_same_rank(
        sample_weight.astype(dtype), mask.astype(dtype)
    )
    return align_to_samples(sample_weight, mask) * mask


def average(total, weight):
    """total / weight, and 0 where the weight is 0."""
    return jnp.where(weight == 0, 0, total / jnp.where(weight == 0, 1, weight))


def reduce_values(values, sample_weight=None, reduction="sum_over_batch_size"):
    """Reduce per-sample losses as `reduction` says.

    "mean_with_sample_weight" divides by the sum of the weights. The other means
    divide by the number of values, whatever their weights.
    """
    if reduction in (None, "none") or values.ndim == 0 or values.shape[0] == 0:
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return average(total, jnp.sum(sample_weight).astype(total.dtype))
    return total / math.prod(values.shape)


def weighted_loss(values, sample_weight, mask, reduction, dtype):
    """Apply weights and mask to per-sample losses, and reduce them.

    Args:
        values: (n, ...) losses.
        sample_weight: weights that broadcast to `values`, or None.
        mask: booleans of the shape of `values`, False drops an entry; or None.
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
            # "mean_with_sample_weight" divides by the sum of the weights of all
            # values: a weight of a sample counts once for each of its values.
            sample_weight = broadcast_weights(sample_weight, values)
        try:
            values = values * sample_weight
        except (TypeError, ValueError):
            raise _weights_error(sample_weight, values) from None
    return reduce_values(values, sample_weight, reduction)


def loss_function(function):
    """Decorate `function(y_true, y_pred, …)`: KerasTensors are recorded as a node."""
    # The prefix "Loss" tells the nodes from those of `keras.ops`, which has
    # functions of the same names, such as `binary_crossentropy`.
    name = "Loss" + function.__name__.title().replace("_", "")
    tensors = ("y_true", "y_pred")
    return op(function, name=name, tensors=tensors, module="keras.ops.losses")


@op(
    name="Loss",
    tensors=("y_true", "y_pred", "sample_weight"),
    module="keras.ops.losses",
)
def apply_loss(y_true, y_pred, sample_weight=None, *, loss):
    """Call a loss on KerasTensors; the node saves the loss's config."""
    loss = deserialize_keras_object(loss) if isinstance(loss, dict) else loss
    return loss(y_true, y_pred, sample_weight)


def _mask_of(y):
    """The mask of an array; None for a structure of arrays."""
    return None if isinstance(y, (dict, list, tuple)) else get_mask(y)


class Loss:
    """Base class of losses. Subclasses define `call(y_true, y_pred)`.

    Args:
        name: name of the loss; by default the class name in snake case, made unique.
        reduction: how the (batch, ...) values of `call` become the loss:
            "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum", or "none" or
            None (the values themselves).
        dtype: dtype or policy of the computation; `floatx()` by default.

    Raises:
        ValueError: unknown reduction.

    >>> class Cubic(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return keras.ops.mean(abs(y_true - y_pred) ** 3, axis=-1)
    >>> float(Cubic()([[0.0, 1.0]], [[2.0, 1.0]]))
    4.0
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
        """Compute the values of `call`, weight and reduce them.

        Args:
            y_true: targets: (batch, ...) array, or a dict or list of arrays if `call`
                takes one.
            y_pred: predictions: (batch, ...) array, or a dict or list of arrays.
                Entries whose Keras mask is False do not count.
            sample_weight: weights that broadcast to the values of `call`, for
                instance (batch,); None: all 1.

        Returns:
            Scalar; the (batch, ...) values if the reduction is "none".

        Raises:
            ValueError: the weights do not broadcast to the values.
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
        """Cast the arrays of a structure; a list of numbers becomes one array."""
        if isinstance(y, dict):
            return {key: self._mk_convert(item) for key, item in y.items()}
        if isinstance(y, (list, tuple)) and any(hasattr(x, "shape") for x in y):
            items = [self._mk_convert(item) for item in y]
            return type(y)(*items) if hasattr(y, "_fields") else type(y)(items)
        return convert_to_tensor(y, self.dtype)

    def call(self, y_true, y_pred):
        """Compute the values before weights and reduction.

        Args:
            y_true: (batch, ...) targets.
            y_pred: (batch, ...) predictions.

        Returns:
            (batch, ...) values, at least one for each sample.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `call(y_true, y_pred)` method: define the "
            "losses of the samples there."
        )

    def get_config(self):
        """Return the constructor's arguments; without `dtype`, as in Keras."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        """Make a loss from a config.

        Args:
            config: dict as `get_config()` returns it.
        """
        return cls(**config)

    def __repr__(self):
        return describe(self)

    def __dir__(self):
        return visible(self)


class FunctionConfig:
    """Mixin of losses and metrics that wrap a function: what their config holds."""

    _mk_fn_kwargs: dict

    # Arguments that Keras leaves out of the config, with their defaults. Ours writes
    # any other value, so that a saved loss never comes back as another one.
    _mk_implicit: dict = {}

    def _mk_function_config(self):
        """The further arguments of the function, without implicit defaults."""
        return {
            key: value
            for key, value in self._mk_fn_kwargs.items()
            if key not in self._mk_implicit or value != self._mk_implicit[key]
        }

    @classmethod
    def from_config(cls, config):
        """Make a loss or metric from a config."""
        if "fn" in config:
            config = deserialize_keras_object(config)
        return cls(**config)


class LossFunctionWrapper(FunctionConfig, Loss):
    """The loss of a function `fn(y_true, y_pred, **kwargs)`.

    Args:
        fn: function that returns (batch, ...) values.
        reduction: how the values become the loss, as in `Loss`.
        name: name of the loss; by default the class name in snake case, made unique.
        dtype: dtype or policy of the computation; `floatx()` by default.
        **kwargs: further arguments of `fn`.
    """

    def __init__(
        self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn, self._mk_fn_kwargs = fn, kwargs
        vars(self).update(kwargs)  # Keras's losses have such attributes: `from_logits`

    def call(self, y_true, y_pred):
        """Call the function on targets and predictions of the same rank."""
        if hasattr(y_true, "ndim") and hasattr(y_pred, "ndim"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._mk_fn_kwargs)

    def get_config(self):
        """Return the constructor's arguments; without `dtype`, as in Keras."""
        config = {**super().get_config(), **self._mk_function_config()}
        if type(self) is LossFunctionWrapper:  # a subclass knows its function
            config["fn"] = serialize_keras_object(self.fn)
        return config
