import numpy as np
import pytest

from minikeras import Input, KerasTensor, layers

_RNG = np.random.default_rng(0)


def correlate(x, kernel, strides, dilation):
    """Convolution with whole windows, entry by entry: channels last, any rank."""
    rank = x.ndim - 2
    window = kernel.shape[:rank]
    sizes = [
        (n - (w - 1) * d - 1) // s + 1
        for n, w, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    out = np.zeros((len(x), *sizes, kernel.shape[-1]))
    for at in np.ndindex(*sizes):
        index = tuple(
            slice(a * s, a * s + (w - 1) * d + 1, d)
            for a, s, w, d in zip(at, strides, window, dilation, strict=True)
        )
        patch = x[(slice(None), *index)]
        axes = list(range(rank + 1))
        out[(slice(None), *at)] = np.tensordot(
            patch, kernel, ([a + 1 for a in axes], axes)
        )
    return out


def with_weights(layer, x):
    layer(x)
    layer.set_weights([_RNG.normal(size=w.shape) for w in layer.weights])
    return [w.numpy() for w in layer.weights]


@pytest.mark.parametrize(
    "rank, strides, dilation", [(1, 2, 1), (2, (2, 1), 1), (2, 1, (1, 2)), (3, 2, 1)]
)
def test_windows(rank, strides, dilation):
    x = _RNG.normal(size=(2, *(7, 6, 5)[:rank], 3)).astype("float32")
    conv = getattr(layers, f"Conv{rank}D")
    layer = conv(4, (2, 3, 2)[:rank], strides=strides, dilation_rate=dilation)
    kernel, bias = with_weights(layer, x)
    expected = correlate(x, kernel, layer.strides, layer.dilation_rate) + bias
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


def test_channels_first_is_the_same_function():
    x = _RNG.normal(size=(2, 6, 5, 3)).astype("float32")
    last = layers.Conv2D(4, 3, activation="tanh", padding="same")
    with_weights(last, x)
    first = layers.Conv2D(
        4, 3, activation="tanh", padding="same", data_format="channels_first"
    )
    first.build((None, 3, 6, 5))
    first.set_weights(last.get_weights())
    y = first(x.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(y, last(x), rtol=1e-5, atol=1e-5)


def test_groups_do_not_mix():
    x = _RNG.normal(size=(2, 6, 4)).astype("float32")
    layer = layers.Conv1D(6, 2, groups=2, use_bias=False)
    (kernel,) = with_weights(layer, x)
    assert kernel.shape == (2, 2, 6)
    parts = [
        correlate(x[..., :2], kernel[..., :3], (1,), (1,)),
        correlate(x[..., 2:], kernel[..., 3:], (1,), (1,)),
    ]
    np.testing.assert_allclose(
        layer(x), np.concatenate(parts, -1), rtol=1e-4, atol=1e-5
    )


def test_causal_outputs_see_the_past_only():
    x = _RNG.normal(size=(1, 8, 3)).astype("float32")
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    y = np.asarray(layer(x))
    later = x.copy()
    later[:, 5:] += 1
    np.testing.assert_array_equal(layer(later)[:, :5], y[:, :5])
    assert y.shape == (1, 8, 2)
    assert not np.allclose(layer(later)[:, 5:], y[:, 5:])


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"filters": 0}, "filters"),
        ({"groups": 0}, "groups"),
        ({"filters": 5, "groups": 2}, "evenly divisible"),
        ({"kernel_size": (2, 0)}, r"values \{0\}"),
        ({"kernel_size": (2, 2, 2)}, "tuple of 2"),
        ({"strides": 2, "dilation_rate": 2}, "not supported in conjunction"),
        ({"padding": "causal"}, "padding"),
        ({"data_format": "NHWC"}, "data_format"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        layers.Conv2D(**{"filters": 4, "kernel_size": 2, **kwargs})


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must divide the channels"):
        layers.Conv2D(4, 2, groups=2)(np.ones((1, 4, 4, 3)))
    with pytest.raises(ValueError, match="larger than"):
        layers.Conv2D(4, 5)(KerasTensor((None, 4, 8, 3)))
    with pytest.raises(ValueError, match="min_ndim=4"):
        layers.Conv2D(4, 2)(np.ones((4, 4, 3)))


def test_lora_of_a_convolution():
    x = _RNG.normal(size=(2, 5, 5, 3)).astype("float32")
    layer = layers.Conv2D(4, 2, use_bias=False, lora_rank=2, lora_alpha=1.0)
    layer(x)
    assert [w.shape for w in layer.trainable_weights] == [(2, 2, 3, 2), (2, 4)]
    kernel, a, b = with_weights(layer, x)
    expected = correlate(x, kernel + 0.5 * a @ b, (1, 1), (1, 1))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv1D(2, 7),
        layers.Conv2D(2, 3, dilation_rate=3),
        layers.Conv3D(2, 5),
        layers.DepthwiseConv2D(5),
        layers.SeparableConv1D(2, 6),
    ],
)
def test_a_kernel_larger_than_its_input_is_refused(layer):
    """Also by a layer that was built for inputs of unknown size."""
    sizes = (4,) * layer.rank
    text = rf"{type(layer).__name__}.*the kernel of size \(.*its input \(4,"
    with pytest.raises(ValueError, match=text):
        type(layer).from_config(layer.get_config())(Input((*sizes, 3)))
    assert layer(Input((*(None,) * layer.rank, 3))).shape[1] is None
    for x in (Input((*sizes, 3)), np.ones((1, *sizes, 3), "float32")):
        with pytest.raises(ValueError, match=text):
            layer(x)
