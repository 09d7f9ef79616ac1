"""Layers of Keras 1 and 2 that Keras 3 has not, or has under other names."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import layers as today
from minikeras import models, ops, random, settings
from minikeras.core import registry
from minikeras.legacy.notices import notice
from minikeras.saving.upgrades import MERGES


class _Renamed(type):
    """An old name of a class: calling it makes an object of the class of today."""

    def __call__(cls, *args, **kwargs):
        if "_mk_change" not in vars(cls):  # a user's subclass
            return super().__call__(*args, **kwargs)
        args, kwargs = vars(cls)["_mk_change"].__func__(args, kwargs)
        return cls.__mro__[1](*args, **kwargs)

    def __instancecheck__(cls, instance):
        is_name = "_mk_change" in vars(cls)
        return type.__instancecheck__(cls.__mro__[1] if is_name else cls, instance)


def _old_name(name, base, change=lambda args, kwargs: (args, kwargs), warn=True):
    """A class that stands for another.

    Args:
        name: the old name.
        base: the class of today.
        change: function of (args, kwargs) that puts a call into today's words.
        warn: bool, whether every call is a reason for a notice.
    """

    def changed(args, kwargs):
        if warn:
            notice(name, f"write {base.__name__}")
        return change(args, kwargs)

    doc = f"`{name}` of older versions: {base.__name__}."
    members = {"_mk_change": staticmethod(changed), "__doc__": doc}
    return _Renamed(name, (base,), {**members, "__module__": __name__})


_AFTER_SIZES = "init activation weights border_mode subsample dim_ordering".split()


def _kernel_of(dims, skipped=()):
    """A change of calls: Keras 1 wrote `(32, 3, 3)` for 32 kernels of 3 x 3."""
    names = (*skipped, *_AFTER_SIZES)

    def change(args, kwargs):
        sizes, rest = args[1 : 1 + dims], args[1 + dims :]
        if len(sizes) < max(dims, 2) or not all(isinstance(x, int) for x in sizes):
            return args, kwargs
        text = ", ".join(map(str, sizes))
        notice(f"Convolution{dims}D(n, {text})", f"write kernel_size=({text})")
        more = dict(zip(names, rest, strict=False))
        more = {k: v for k, v in more.items() if k not in skipped}
        return (args[0], sizes), {**more, **kwargs}

    return change


def _without(*names):
    """A change of calls: some arguments are gone."""
    return lambda args, kwargs: (
        args,
        {k: v for k, v in kwargs.items() if k not in names},
    )


def _deconvolution(args, kwargs):
    args, kwargs = _kernel_of(2, ["output_shape"])(args, kwargs)
    return _without("output_shape")(args, kwargs)


def _thresholded(args, kwargs):
    theta = kwargs.pop("theta", args[0] if args else 1.0)
    return (), {**kwargs, "threshold": float(theta)}


# These have their names in Keras 3 too, but not with the sizes one by one.
CONVOLUTIONS = {
    "Convolution2D": _old_name("Convolution2D", today.Conv2D, _kernel_of(2), False),
    "Convolution3D": _old_name("Convolution3D", today.Conv3D, _kernel_of(3), False),
    "SeparableConvolution2D": _old_name(
        "SeparableConvolution2D", today.SeparableConv2D, _kernel_of(2), False
    ),
}
AtrousConvolution1D = _old_name("AtrousConvolution1D", today.Conv1D)
AtrousConvolution2D = _old_name("AtrousConvolution2D", today.Conv2D, _kernel_of(2))
BatchNormalizationV1 = _old_name("BatchNormalizationV1", today.BatchNormalization)
BatchNormalizationV2 = _old_name("BatchNormalizationV2", today.BatchNormalization)
CuDNNGRU = _old_name("CuDNNGRU", today.GRU)
CuDNNLSTM = _old_name("CuDNNLSTM", today.LSTM)
Deconvolution2D = _old_name("Deconvolution2D", today.Conv2DTranspose, _deconvolution)
SyncBatchNormalization = _old_name(
    "SyncBatchNormalization",
    today.BatchNormalization,
    lambda args, kwargs: (args, {"synchronized": True, **kwargs}),
)
ThresholdedReLU = _old_name("ThresholdedReLU", today.ReLU, _thresholded, False)
TimeDistributedDense = _old_name("TimeDistributedDense", today.Dense)


def _merge_layer(mode, concat_axis=-1, dot_axes=-1, name=None):
    """The layer of a mode of Keras 1."""
    if callable(mode):
        notice("mode=function of merge", "write keras.layers.Lambda(function)")
        return today.Lambda(mode, name=name)
    if mode not in MERGES:
        raise ValueError(
            f"merge: expected a mode among {sorted(MERGES)}, got {mode!r}."
        )
    settings = {"axis": concat_axis} if mode == "concat" else {}
    if mode in ("dot", "cos"):
        settings = {"axes": dot_axes, "normalize": mode == "cos"}
    notice(f"mode={mode!r} of merge", f"write keras.layers.{MERGES[mode]}")
    return getattr(today, MERGES[mode])(name=name, **settings)


def merge(inputs, mode="sum", concat_axis=-1, dot_axes=-1, name=None, **kwargs):
    """Merge KerasTensors: sum, mul, concat, ave, cos, dot or max.

    Args:
        inputs: list of KerasTensors.
        mode: one of these names, or a function of the list.
        concat_axis: axis of "concat".
        dot_axes: axes of "dot" and "cos".
        name: of the layer.
        **kwargs: `output_shape`, …; not needed.
    """
    return _merge_layer(mode, concat_axis, dot_axes, name)(inputs)


def Merge(layers=None, mode="sum", concat_axis=-1, dot_axes=-1, name=None, **kwargs):
    """Merge the outputs of models: a model of all their inputs, for `Sequential`.

    Args:
        layers: list of built models; None makes the merging layer alone.
        mode, concat_axis, dot_axes, name, **kwargs: as in `merge`.
    """
    layer = _merge_layer(mode, concat_axis, dot_axes, name)
    if not layers:
        return layer
    inputs = [x for model in layers for x in model.inputs]
    return models.Model(inputs, layer([model.output for model in layers]))


class _LocallyConnected(today.Layer):
    """A convolution with a kernel of its own at each place.

    y[p] = patch(x, p) @ kernel[p] + bias[p], with weights in the shapes of Keras 2.

    Args:
        filters: int, channels of the output.
        kernel_size, strides: int, or a tuple with one for each axis.
        padding: `"valid"`.
        data_format: `"channels_last"`, `"channels_first"`, or None for the default.
        activation: name or function.
        use_bias: bool, whether to add a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            kernel_constraint, bias_constraint: as in `Conv2D`.
        implementation: not needed.
        **kwargs: `name` and the other arguments of `Layer`.
    """

    _dims = 2

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        implementation=1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if padding != "valid":
            raise ValueError(
                f'{type(self).__name__}: padding must be "valid", got {padding!r}. Put '
                "a ZeroPadding layer before it."
            )
        kernel_size, strides = (
            (size,) * self._dims if isinstance(size, int) else tuple(size)
            for size in (kernel_size, strides)
        )
        data_format = data_format or settings.image_data_format()
        self._mk_set_arguments(locals())

    def build(self, input_shape):
        """Make one kernel for each place."""
        *sizes, channels = input_shape[1:]
        if self.data_format == "channels_first":
            channels, *sizes = input_shape[1:]
        zipped = zip(sizes, self.kernel_size, self.strides, strict=True)
        places = [(n - k) // s + 1 for n, k, s in zipped]
        patch = math.prod(self.kernel_size) * channels
        shape = (math.prod(places), patch, self.filters)
        self.kernel = self._weight("kernel", shape)
        self.bias = 0.0
        if self.use_bias:
            self.bias = self._weight("bias", (*places, self.filters))

    def _weight(self, name, shape):
        kinds = ("initializer", "regularizer", "constraint")
        return self.add_weight(
            shape, name=name, **{k: getattr(self, f"{name}_{k}") for k in kinds}
        )

    def call(self, x):
        """(batch, …, channels) -> (batch, …, filters)."""
        first = self.data_format == "channels_first"
        x = jnp.moveaxis(x, 1, -1) if first else x
        zipped = zip(x.shape[1:-1], self.kernel_size, self.strides, strict=True)
        grids = [np.arange(0, n - k + 1, s)[:, None] + range(k) for n, k, s in zipped]
        index = grids if len(grids) == 1 else _outer(*grids)
        patches = x[(slice(None), *index)]
        patches = patches.reshape(x.shape[0], self.kernel.shape[0], -1)
        y = jnp.einsum("bpk,pkf->bpf", patches, self.kernel.value)
        y = y.reshape(x.shape[0], *map(len, grids), self.filters) + self.bias
        return self.activation(jnp.moveaxis(y, -1, 1) if first else y)


def _outer(rows, columns):
    return rows[:, None, :, None], columns[None, :, None, :]


class LocallyConnected1D(_LocallyConnected):
    __doc__ = _LocallyConnected.__doc__
    _dims = 1


class LocallyConnected2D(_LocallyConnected):
    __doc__ = _LocallyConnected.__doc__


class RandomHeight(today.Layer):
    """In training, resize images to a random height.

    The size of the output varies, so it runs on arrays and in `Dataset.map` of batches,
    not within a compiled step.

    Args:
        factor: the height changes by a share in [-factor, factor], or in (low, high).
        interpolation: as in `keras.ops.image.resize`.
        seed: int; None draws one.
        **kwargs: `name` and the other arguments of `Layer`.
    """

    _axis = 0

    def __init__(self, factor, interpolation="bilinear", seed=None, **kwargs):
        super().__init__(**kwargs)
        low, high = factor if isinstance(factor, (list, tuple)) else (-factor, factor)
        if not -1 < low <= high:
            raise ValueError(
                f"{type(self).__name__}: expected a factor above -1, the lower bound "
                f"first, got {factor!r}."
            )
        factor = (float(low), float(high))
        self._mk_set_arguments(locals())
        self.generator = random.SeedGenerator(seed)

    def call(self, inputs, training=True):
        """(…, height, width, channels), of another height or width in training."""
        if not training:
            return inputs
        low, high = self.factor
        drawn = random.uniform((), 1 + low, 1 + high, seed=self.generator)
        if isinstance(drawn, jax.core.Tracer):
            raise ValueError(
                f"{type(self).__name__} gives images of a random size, which no "
                "compiled model can have. Use RandomZoom, or call it on the data first."
            )
        size = list(inputs.shape[-3:-1])
        size[self._axis] = int(size[self._axis] * float(drawn))
        return ops.image.resize(inputs, size, self.interpolation)


class RandomWidth(RandomHeight):
    __doc__ = RandomHeight.__doc__.replace("eight", "idth")
    _axis = 1


_OWN = (LocallyConnected1D, LocallyConnected2D, RandomHeight, RandomWidth)
registry.register("keras.legacy.layers", {cls.__name__: cls for cls in _OWN})
__all__ = """AtrousConvolution1D AtrousConvolution2D BatchNormalizationV1
    BatchNormalizationV2 CuDNNGRU CuDNNLSTM Deconvolution2D LocallyConnected1D
    LocallyConnected2D Merge RandomHeight RandomWidth SyncBatchNormalization
    ThresholdedReLU TimeDistributedDense merge""".split()
