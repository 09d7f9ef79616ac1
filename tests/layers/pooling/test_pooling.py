import numpy as np
import pytest

from minikeras import Input, layers

_RNG = np.random.default_rng(0)
IMAGE = _RNG.normal(size=(2, 6, 4, 3)).astype("float32")
SEQUENCE = _RNG.normal(size=(2, 6, 3)).astype("float32")
VOLUME = _RNG.normal(size=(2, 4, 6, 2, 3)).astype("float32")


@pytest.mark.parametrize("name, reduce", [("Max", np.max), ("Average", np.mean)])
def test_windows(name, reduce):
    def layer(rank, *args, **kwargs):
        return getattr(layers, f"{name}Pooling{rank}D")(*args, **kwargs)

    blocks = IMAGE.reshape(2, 2, 3, 2, 2, 3)
    np.testing.assert_allclose(
        layer(2, (3, 2))(IMAGE), reduce(blocks, axis=(2, 4)), rtol=1e-5, atol=1e-6
    )
    first = IMAGE.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(
        layer(2, (3, 2), data_format="channels_first")(first),
        reduce(blocks, axis=(2, 4)).transpose(0, 3, 1, 2),
        rtol=1e-5,
        atol=1e-6,
    )
    sliding = np.stack([reduce(SEQUENCE[:, i : i + 3], axis=1) for i in range(4)], 1)
    np.testing.assert_allclose(
        layer(1, 3, strides=1)(SEQUENCE), sliding, rtol=1e-5, atol=1e-6
    )
    blocks = VOLUME.reshape(2, 2, 2, 3, 2, 1, 2, 3)
    np.testing.assert_allclose(
        layer(3, 2)(VOLUME), reduce(blocks, axis=(2, 4, 6)), rtol=1e-5, atol=1e-6
    )


def test_same_padding_does_not_count():
    x = SEQUENCE[:, :3]
    expected = np.stack([x[:, :2].mean(1), x[:, 2]], axis=1)
    layer = layers.AveragePooling1D(2, padding="same")
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    expected = np.stack([x[:, :2].max(1), x[:, 2]], axis=1)
    np.testing.assert_array_equal(layers.MaxPooling1D(2, padding="same")(x), expected)


@pytest.mark.parametrize(
    "kwargs",
    [
        *({"pool_size": 0}, {"pool_size": (2, 2, 2)}, {"pool_size": "2"}),
        *({"strides": -1}, {"padding": "causal"}, {"data_format": "NCHW"}),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        layers.MaxPooling2D(**kwargs)


def test_inputs_of_another_rank_are_refused():
    with pytest.raises(ValueError, match="ndim=4"):
        layers.MaxPooling2D()(SEQUENCE)


def test_global_pooling():
    first = IMAGE.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(
        layers.GlobalAveragePooling2D("channels_first")(first),
        IMAGE.mean((1, 2)),
        rtol=1e-5,
        atol=1e-6,
    )
    np.testing.assert_array_equal(
        layers.GlobalMaxPooling3D(keepdims=True)(VOLUME),
        VOLUME.max((1, 2, 3), keepdims=True),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masked_steps_do_not_count_in_a_global_mean(data_format):
    mask = np.array([[1, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0]], bool)
    expected = np.stack([SEQUENCE[0, mask[0]].mean(0), SEQUENCE[1, 3]])
    x = SEQUENCE if data_format == "channels_last" else SEQUENCE.transpose(0, 2, 1)
    layer = layers.GlobalAveragePooling1D(data_format)
    np.testing.assert_allclose(layer(x, mask=mask), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_pool_larger_than_its_input_is_refused(kind, rank):
    """In graphs and on arrays, whatever the place of the channels."""
    cls = getattr(layers, f"{kind}Pooling{rank}D")
    text = rf"{kind}Pooling{rank}D.*\(7,.*is larger than its input \(4,"
    for data_format, shape in (
        ("channels_last", (*(4,) * rank, 8)),
        ("channels_first", (8, *(4,) * rank)),
    ):
        layer = cls(7, data_format=data_format)
        for x in (Input(shape), np.ones((1, *shape), "float32")):
            with pytest.raises(ValueError, match=text):
                layer(x)
    assert cls(7, padding="same")(Input((*(4,) * rank, 8))).shape[-1] == 8
    assert cls(7)(Input((*(None,) * rank, 8))).shape[-1] == 8


def test_average_pooling_needs_a_size():
    for cls in (layers.AveragePooling1D, layers.AveragePooling2D):
        with pytest.raises(TypeError, match="pool_size"):
            cls()
    assert layers.MaxPooling2D().pool_size == (2, 2)
    config = layers.AveragePooling2D(3).get_config()
    assert layers.AveragePooling2D.from_config(config).pool_size == (3, 3)
