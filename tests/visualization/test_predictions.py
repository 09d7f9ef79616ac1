"""Predictions beside the truth."""

import random

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization
from minikeras.visualization.drawing import as_pixels, range_of

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 8, 8, 1)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])
SHARES = np.full((6, 3), 0.05)
SHARES[range(6), [0, 1, 2, 2, 1, 0]] = 0.9
SHARES[2] = [0.1, 0.2, 0.7]


def titles(figure):
    return [axes.get_title().split("\n") for axes in figure.axes if axes.get_title()]


def test_classes():
    names = ["a", "b", "$c$"]
    figure = visualization.plot_predictions(SHARES, IMAGES, LABELS, names)
    assert titles(figure)[2:4] == [["$c$ 70 %", "true: $c$"], ["$c$ 90 %", "true: a"]]
    colours = [axes.title.get_color() for axes in figure.axes[:6]]
    assert colours[0] == colours[1] == colours[4] != colours[3] == colours[5]
    picture = figure.axes[4].images[0].get_array()
    np.testing.assert_allclose(picture[..., 0], IMAGES[4, ..., 0] * 255, atol=0.51)
    assert titles(visualization.plot_predictions(SHARES, IMAGES, count=2)) == [
        ["0 90 %"], ["1 90 %"]
    ]  # fmt: skip


def test_the_worst_first():
    """By -log of the probability of the true class; NaN is worst of all."""
    shares = SHARES.copy()
    shares[1] = np.nan
    figure = visualization.plot_predictions(
        shares, IMAGES, LABELS, worst_first=True, count=4
    )
    trues = [title[1] for title in titles(figure)]
    assert trues == ["true: 1", "true: 0", "true: 2", "true: 2"]
    assert titles(figure)[3][0] == "2 70 %"


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (np.eye(3)[LABELS], SHARES),
        (LABELS[:, None], np.log(SHARES)),  # scores
    ],
)
def test_other_forms_of_classes(y_true, y_pred):
    figure = visualization.plot_predictions(y_pred, IMAGES, y_true)
    expected = visualization.plot_predictions(SHARES, IMAGES, LABELS)
    assert titles(figure) == titles(expected)


def test_two_classes():
    figure = visualization.plot_predictions(
        [0.25, 0.75], IMAGES[:2, ..., 0], [0, 0], ["no", "yes"], "classification"
    )
    assert titles(figure) == [["no 75 %", "true: no"], ["yes 75 %", "true: no"]]


def test_regressions():
    truth = RNG.normal(size=(50, 2))
    guess = truth + 0.5
    figure = visualization.plot_predictions(guess, None, truth)
    left, right = figure.axes
    spread = ((truth - truth.mean(0)) ** 2).sum()
    assert left.get_title() == f"MAE 0.5, R² {1 - 0.25 * 100 / spread:.3g}"
    assert right.get_title() == "residuals: mean -0.5, std 0"
    np.testing.assert_allclose(
        left.collections[1].get_offsets(), np.stack([truth[:, 1], guess[:, 1]], 1)
    )
    diagonal = left.get_lines()[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    guess[3] = np.nan
    visualization.plot_predictions(guess[:, 0], None, truth[:, :1]).canvas.draw()
    visualization.plot_predictions([1.0], None, [1]).canvas.draw()


def test_curves():
    x = RNG.permutation(20) / 20.0
    figure = visualization.plot_predictions(x**2, x, x**2 + 1)
    (line,) = figure.axes[0].get_lines()
    np.testing.assert_allclose(line.get_xdata(), np.sort(x))
    np.testing.assert_allclose(line.get_ydata(), np.sort(x) ** 2, rtol=1e-6)
    assert len(figure.axes[0].collections[0].get_offsets()) == 20
    assert not visualization.plot_predictions(x, x[:, None]).axes[0].collections


def test_sequences():
    x, after = RNG.normal(size=(3, 10, 1)), RNG.normal(size=(3, 4))
    figure = visualization.plot_predictions(after + 1, x, after)
    before, true, predicted = figure.axes[1].get_lines()
    np.testing.assert_allclose(before.get_ydata(), x[1, :, 0])
    assert true.get_xdata().tolist() == [10, 11, 12, 13]
    np.testing.assert_allclose(true.get_ydata(), after[1])
    np.testing.assert_allclose(predicted.get_ydata(), after[1] + 1, rtol=1e-6)
    same = visualization.plot_predictions(x, x)
    assert same.axes[0].get_lines()[-1].get_xdata().tolist() == list(range(10))
    worst = visualization.plot_predictions(
        after * [[1], [3], [2]], x, after, worst_first=True
    )
    assert titles(worst)[0] == ["sample 1"]


def test_images_as_outputs():
    bright = np.minimum(IMAGES + 0.5, 1.2)
    figure = visualization.plot_predictions(bright, IMAGES, IMAGES, count=3)
    assert len(figure.axes) == 9
    shown = [axes.images[0].get_array() for axes in figure.axes]
    np.testing.assert_array_equal(shown[0], shown[6])
    expected = np.clip(bright[0] * 255, 0, 255)[..., 0]
    np.testing.assert_allclose(shown[3][..., 0], expected, atol=0.51)


def test_a_model_is_used_as_it_is():
    keras.utils.set_random_seed(0)
    stack = [layers.Flatten(), layers.BatchNormalization(), layers.Dropout(0.5)]
    stack += [layers.GaussianNoise(1.0), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *stack])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(IMAGES, LABELS, verbose=0)
    before = [np.asarray(v) for v in (*model.variables, *model.metrics_variables)]
    state = random.getstate(), str(np.random.get_state())
    figure = visualization.plot_predictions(model, IMAGES, LABELS, batch_size=4)
    after = [np.asarray(v) for v in (*model.variables, *model.metrics_variables)]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (random.getstate(), str(np.random.get_state())) == state
    shares = model.predict(IMAGES, verbose=0)
    assert titles(figure) == titles(
        visualization.plot_predictions(shares, IMAGES, LABELS)
    )


def test_a_stateful_model_keeps_its_states():
    inputs = keras.Input(batch_shape=(2, 3, 1))
    model = keras.Sequential([inputs, layers.GRU(1, stateful=True)])
    model.predict(np.ones((2, 3, 1)), verbose=0)
    state = np.asarray(model.layers[-1].states[0])
    assert state.any()
    visualization.plot_predictions(
        model, np.ones((2, 3, 1)), np.ones((2, 1)), kind="regression"
    )
    np.testing.assert_array_equal(np.asarray(model.layers[-1].states[0]), state)


def test_several_inputs(tmp_path):
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.Add()([a, b])))
    x = {"a": np.ones((5, 2)), "b": np.ones((5, 2))}
    path = tmp_path / "a.png"
    assert visualization.plot_predictions(model, x, np.ones(5), path=path) is None
    assert path.exists()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"kind": "pie"}, "`kind` is one of"),
        ({"x": IMAGES[:3]}, "as many samples in `x` as predictions, 6, got 3"),
        ({"y_true": LABELS[:3]}, "in `y_true` as predictions, 6, got 3"),
        ({"worst_first": True}, "needs `y_true`"),
        ({"count": 0}, "`count` must be a positive integer"),
        ({"batch_size": -1}, "`batch_size` must be a positive integer"),
        ({"cols": 0}, "`cols` must be a positive integer"),
        ({"y_true": list("abcabc")}, "`y_true` to hold numbers of classes"),
        ({"y_true": LABELS + 1}, r"labels \(samples,\) in 0..2, .* from 1 to 3"),
        ({"x": None, "kind": "regression"}, "a regression needs `y_true`"),
        ({"kind": "classification", "x": np.ones((6, 4))}, "draws images"),
        ({"kind": "curve"}, r"one number as input, got x of the shape \(6, 8, 8, 1\)"),
        ({"kind": "regression", "y_true": np.ones((6, 2))}, "the shape of the pred"),
        ({"kind": "images"}, r"expected images as output, got \(6, 3\)"),
        ({"model": {"a": SHARES, "b": SHARES}}, "expected one output, got 2"),
        ({"model": np.array(["a"] * 6)}, "expected numbers"),
        ({"model": keras.Sequential([layers.Dense(2)])}, "has no weights yet"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        visualization.plot_predictions(**{"model": SHARES, "x": IMAGES} | arguments)


def test_ranges_and_pixels():
    assert range_of(np.array([0, 3], "uint8")) == (0, 255)
    assert range_of(np.array([0.0, 200.0])) == (0, 255)
    assert range_of(np.array([0.5, np.nan])) == (0, 1)
    assert range_of(np.array([-2.0, 2.0])) == (-2, 2)
    assert as_pixels(np.array([[[0.0], [np.nan]]])).tolist() == [[[0] * 3, [0] * 3]]
    assert as_pixels(np.ones((1, 1, 5)) * [0, 0.2, 1, 0, 0]).tolist() == [
        [[0, 51, 255]]
    ]
    assert as_pixels(np.full((1, 1, 2), 7, "uint8")).tolist() == [[[7, 7, 7]]]
    assert as_pixels(np.ones((1, 1, 1), bool)).tolist() == [[[255] * 3]]
    assert as_pixels(np.full((1, 1, 1), 3.0)).shape == (1, 1, 3)
