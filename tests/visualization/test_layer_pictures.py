"""Outputs and kernels of layers as pictures."""

import random

import matplotlib
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization
from minikeras.visualization.figures import MISSING, class_name, coloured, mosaic

RNG = np.random.default_rng(0)
X = RNG.random((3, 8, 9, 3)).astype("float32")


def network():
    stack = [
        layers.Conv2D(5, 3, name="conv"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Dropout(0.5, name="drop"),
        layers.Flatten(name="flat"),
        layers.Dense(200, name="wide"),
        layers.Dense(4, name="top"),
    ]
    return keras.Sequential([keras.Input((8, 9, 3)), *stack])


def names(figure):
    return [axes.get_title(loc="left").split()[0] for axes in figure.axes]


def test_outputs():
    model = network()
    figure = visualization.plot_layer_outputs(model, X, sample=-1)
    # A layer that changes nothing is left out.
    assert names(figure) == ["conv", "pool", "flat", "wide", "top"]
    conv, _, _, wide, top = figure.axes
    out = np.asarray(model.layers[0](X))[2]
    assert conv.get_title(loc="left") == (
        f"conv (Conv2D)  6×7×5  {out.min():.3g} … {out.max():.3g}"
    )
    picture = conv.images[0].get_array()
    assert picture.shape == (6, 5 * 7 + 4, 3)  # five channels, lines of a pixel
    scaled = (out - out.min()) / np.ptp(out)
    expected = matplotlib.colormaps["viridis"](scaled[..., 3], bytes=True)[..., :3]
    np.testing.assert_array_equal(picture[:, 3 * 8 : 3 * 8 + 7], expected)
    assert wide.images[0].get_array().shape == (1, 200, 3)
    heights = [bar.get_height() for bar in top.patches]
    np.testing.assert_allclose(heights, np.asarray(model(X))[2], rtol=1e-5)


def test_chosen_layers_and_channels():
    inner = keras.Sequential([keras.Input((8, 9, 3)), layers.Conv2D(40, 3, name="c")])
    x = keras.Input((8, 9, 3))
    outer = keras.Model(x, layers.Flatten(name="f")(inner(x)), name="outer")
    figure = visualization.plot_layer_outputs(outer, X, ["f", "c"], max_channels=2)
    assert names(figure) == ["f", "c"]
    assert figure.axes[1].images[0].get_array().shape == (6, 2 * 7 + 1, 3)
    assert names(visualization.plot_layer_outputs(outer, X, "c")) == ["c"]
    deep = [layers.Dense(2, name=f"d{i}") for i in range(40)]
    model = keras.Sequential([keras.Input((3,)), *deep])
    drawn = names(visualization.plot_layer_outputs(model, np.ones((1, 3))))
    assert len(drawn) == 16 and drawn[0] == "d0" and drawn[-1] == "d39"


def test_sequences_volumes_pairs_and_missing_values(tmp_path):
    sequence = keras.Input((10, 2))
    lstm = layers.LSTM(3, return_sequences=True, return_state=True, name="lstm")
    model = keras.Model(sequence, lstm(sequence))
    x = np.ones((1, 10, 2))
    x[0, 4] = np.nan
    figure = visualization.plot_layer_outputs(model, x)
    assert [axes.get_title(loc="left").split("  ")[0] for axes in figure.axes] == [
        "lstm (LSTM)", "lstm [1] (LSTM)", "lstm [2] (LSTM)"
    ]  # fmt: skip
    assert "18 not finite" in figure.axes[0].get_title(loc="left")
    assert "nothing finite" in figure.axes[1].get_title(loc="left")
    picture = figure.axes[0].images[0].get_array()
    assert (picture[4:] == MISSING).all() and (picture[:4] != MISSING).any(-1).all()
    figure.canvas.draw()
    volume = keras.Sequential([keras.Input((4, 4, 4, 1)), layers.Conv3D(2, 2)])
    path = tmp_path / "a.png"
    cube = np.ones((1, 4, 4, 4, 1))
    assert visualization.plot_layer_outputs(volume, cube, path=path) is None
    assert path.exists()
    scalar = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x[:, 0])])
    assert len(visualization.plot_layer_outputs(scalar, np.ones((2, 4))).axes) == 1


def test_channels_first_outputs():
    conv = layers.Conv2D(2, 3, data_format="channels_first", name="conv")
    model = keras.Sequential([keras.Input((3, 8, 9)), conv])
    figure = visualization.plot_layer_outputs(model, X.transpose(0, 3, 1, 2))
    assert figure.axes[0].images[0].get_array().shape == (6, 2 * 7 + 1, 3)


def test_nothing_changes():
    model = network()
    before = [np.asarray(v) for v in model.variables]
    state = random.getstate(), str(np.random.get_state())
    visualization.plot_layer_outputs(model, X)
    visualization.plot_filters(model)
    for a, b in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(a, np.asarray(b))
    assert (random.getstate(), str(np.random.get_state())) == state


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"sample": 3}, "the batch has 3 samples, got sample=3"),
        ({"sample": 0.5}, "got sample=0.5"),
        ({"layers": ["no"]}, "has no layer 'no'"),
        ({"layers": []}, "none of the layers gives"),
        ({"max_channels": 0}, "`max_channels` must be a positive integer"),
        ({"cmap": "nope"}, "no colormap 'nope'"),
        ({"model": keras.Sequential([layers.Dense(2)])}, "has no weights yet"),
    ],
)
def test_bad_outputs(options, match):
    with pytest.raises(ValueError, match=match):
        visualization.plot_layer_outputs(**{"model": network(), "x": X} | options)


def tiles(figure):
    return figure.axes[0].images[0].get_array()


def test_filters_of_one_and_three_channels():
    conv = layers.Conv2D(6, 3)
    conv.build((None, 8, 8, 3))
    kernel = np.asarray(conv.kernel)
    picture = tiles(visualization.plot_filters(conv))
    # A weight is 8 pixels wide, the lines are 3.
    assert picture.shape == (24, 6 * 24 + 5 * 3, 3)
    scaled = (kernel - kernel.min()) / np.ptp(kernel) * 255
    first = picture[:24:8, 27 : 27 + 24 : 8]
    np.testing.assert_allclose(first, scaled[..., 1], atol=0.51)
    grey = layers.Conv2D(40, 3)
    grey.build((None, 8, 8, 1))
    kernel = np.zeros((3, 3, 1, 40), "float32")
    kernel[0, 0, 0, 0] = 1.0
    kernel[1, 1, 0, 1] = np.nan
    grey.set_weights([kernel, np.zeros(40)])
    picture = tiles(visualization.plot_filters(grey, max_filters=20))
    assert picture.shape == (2 * 24 + 3, 16 * 24 + 15 * 3, 3)
    scale = matplotlib.colormaps["RdBu_r"]
    assert picture[0, 0].tolist() == list(scale(1.0, bytes=True)[:3])
    assert picture[8, 0].tolist() == list(scale(0.5, bytes=True)[:3])
    assert picture[8, 27 + 8].tolist() == list(MISSING)


@pytest.mark.parametrize(
    ("layer", "shape", "grid"),
    [
        (layers.Conv2D(5, 3), (None, 8, 8, 4), (5, 4)),
        (layers.Conv2D(5, 3), (None, 8, 8, 40), (5, 16)),
        (layers.Conv2DTranspose(5, 3), (None, 8, 8, 4), (5, 4)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (None, 8, 8, 4), (2, 4)),
        (layers.SeparableConv2D(5, 3), (None, 8, 8, 4), (1, 4)),
        (layers.Conv1D(5, 3), (None, 8, 3), (1, 5)),
        (layers.Conv3D(5, 3), (None, 8, 8, 8, 1), (1, 5)),
    ],
)
def test_grids_of_filters(layer, shape, grid):
    layer.build(shape)
    picture = tiles(visualization.plot_filters(layer))
    rows, columns = (grid[i] * 27 - 3 for i in (0, 1))
    assert picture.shape == (rows, columns, 3)


def test_dense_kernels():
    flat = [keras.Input((8, 9, 3)), layers.Flatten(), layers.Dense(4)]
    model = keras.Sequential([*flat, layers.Dense(7, name="top")])
    figure = visualization.plot_filters(model)
    assert names(figure) == [model.layers[1].name, "top"]
    images, heat = (axes.images[0].get_array() for axes in figure.axes)
    assert images.shape == (8 * 2, 4 * 9 * 2 + 3 * 3, 3) and heat.shape == (7, 4, 3)
    dense = layers.Dense(3)
    dense.build((None, 28 * 28))
    picture = tiles(visualization.plot_filters(dense, image_shape=(28, 28)))
    assert picture.shape == (28, 3 * 28 + 2 * 3, 3)
    with pytest.raises(ValueError, match=r"784 inputs.*image_shape=\(7, 7\)"):
        visualization.plot_filters(dense, image_shape=(7, 7))


def test_which_filters(tmp_path):
    model = network()
    assert names(visualization.plot_filters(model)) == ["conv"]
    assert names(visualization.plot_filters(model, ["top", "conv"])) == ["top", "conv"]
    path = tmp_path / "a.png"
    assert visualization.plot_filters(model, path=path) is None and path.exists()
    with pytest.raises(ValueError, match="'drop' .Dropout."):
        visualization.plot_filters(model, "drop")
    with pytest.raises(ValueError, match="no convolution and no Dense"):
        visualization.plot_filters(keras.Sequential([keras.Input((2,)), layers.ReLU()]))
    with pytest.raises(ValueError, match="has no weights yet"):
        visualization.plot_filters(layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match="names no layer"):
        visualization.plot_filters(model, [])
    with pytest.raises(ValueError, match="`max_filters` must be a positive"):
        visualization.plot_filters(model, max_filters=0)


def test_helpers():
    grey = matplotlib.colormaps["gray"]
    colours = coloured(np.array([-1.0, 1.0, np.inf]), grey)
    assert colours.tolist() == [[0] * 3, [255] * 3, list(MISSING)]
    assert coloured(np.zeros(2), grey, 0, 1).tolist() == [[0] * 3] * 2
    assert coloured(np.full(1, np.nan), grey).tolist() == [list(MISSING)]
    picture = mosaic(np.zeros((3, 1, 2, 3), "uint8"), 2)
    assert picture[..., 0].tolist() == [
        [0, 0, 255, 0, 0], [255] * 5, [0, 0, 255, 255, 255]
    ]  # fmt: skip
    assert class_name(1, None) == "1" and class_name(1, ["a", "b"]) == "b"
    assert class_name(2, ["a"]) == "2" and class_name(np.int64(1), {1: "x"}) == "x"
