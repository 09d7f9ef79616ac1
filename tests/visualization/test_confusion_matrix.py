"""Confusion matrices, against scikit-learn."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics

from minikeras import visualization
from minikeras.visualization.confusion_matrix import confusion_matrix, shares

RNG = np.random.default_rng(0)
TRUE, PRED = RNG.integers(0, 4, (2, 50))
WEIGHTS = RNG.random(50)


def test_the_numbers():
    expected = metrics.confusion_matrix(TRUE, PRED)
    found = confusion_matrix(TRUE, PRED, 4)
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found, expected)
    expected = metrics.confusion_matrix(TRUE, PRED, sample_weight=WEIGHTS)
    np.testing.assert_allclose(confusion_matrix(TRUE, PRED, 4, WEIGHTS), expected)


@pytest.mark.parametrize("normalize", ["true", "pred", "all"])
def test_the_shares(normalize):
    expected = metrics.confusion_matrix(TRUE, PRED, normalize=normalize)
    found = shares(confusion_matrix(TRUE, PRED, 4), normalize)
    np.testing.assert_allclose(found, expected)


def test_no_sample_of_a_class():
    found = shares(np.array([[2, 0], [0, 0]]), "true")
    np.testing.assert_array_equal(found, [[1, 0], [np.nan, np.nan]])


def cells(figure):
    """{(row, column): text} of a figure, without what is faint."""
    axes = figure.axes[0]
    return {t.get_position()[::-1]: t.get_text() for t in axes.texts}


def heat(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def one_hot(labels):
    return np.eye(4)[labels]


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        (TRUE, PRED),
        (TRUE[:, None], PRED.astype("uint8")),
        (TRUE.tolist(), one_hot(PRED)),
        (one_hot(TRUE), one_hot(PRED) * 0.6 + 0.1),
        (one_hot(TRUE).astype(int), one_hot(PRED).astype(int)),
        (TRUE.reshape(5, 10), one_hot(PRED).reshape(5, 10, 4)),
        (TRUE.reshape(5, 10), PRED.reshape(5, 10)),
        (TRUE.astype(float), PRED.astype(float)),
        (TRUE, jnp.asarray(one_hot(PRED), "bfloat16")),
    ],
)
def test_what_it_takes(y_true, y_pred):
    figure = visualization.plot_confusion_matrix(y_true, y_pred)
    np.testing.assert_array_equal(heat(figure), metrics.confusion_matrix(TRUE, PRED))


def test_probabilities_of_two_classes():
    figure = visualization.plot_confusion_matrix([0, 1, 1], [[0.2], [0.7], [0.1]])
    assert cells(figure) == {
        (0, 0): "1\n100 %",
        (0, 1): "0",
        (1, 0): "1\n50 %",
        (1, 1): "1\n50 %",
    }
    bools = visualization.plot_confusion_matrix([False, True, True], [0.5, 0.7, 0.1])
    assert heat(bools).tolist() == [[0, 1], [1, 1]]


def test_names_masks_and_normalization():
    figure = visualization.plot_confusion_matrix(
        TRUE, PRED, ["a", "b", "c", "a $long$ name", "never"], "pred",
        TRUE != 2, title="$t$",
    )  # fmt: skip
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["a", "b", "c", "a $long$ name", "never"]
    assert axes.get_title() == "$t$"
    seen = TRUE != 2
    expected = metrics.confusion_matrix(TRUE[seen], PRED[seen], normalize="pred")
    np.testing.assert_allclose(heat(figure)[:4, :4], expected)
    figure.canvas.draw()
    named = visualization.plot_confusion_matrix([0, 1], [1, 1], {1: "one"})
    labels = named.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["0", "one"]


def test_many_classes(tmp_path):
    labels = np.arange(120)
    figure = visualization.plot_confusion_matrix(labels, labels)
    assert not cells(figure) and figure.axes[0].get_title() == "100.0 % of 120 right"
    assert len(figure.axes[0].get_xticks()) <= 20
    path = tmp_path / "a.png"
    assert visualization.plot_confusion_matrix([0], [0], path=path) is None
    assert path.exists()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([0, 1], [0]), "2 labels and 1 predictions"),
        (([], []), "at least one"),
        (([0], [10**9]), "draws 10000 classes at most, got a label 1000000000"),
        (([0, -1], [0, 1]), "got a label -1"),
        (([0, 1], [[0.1, np.nan], [0.5, 0.5]]), "`y_pred` has NaN for 1 of 2"),
        ((["cat"], ["dog"]), "`y_true` to hold numbers"),
        (([0], [0], None, "rows"), "`normalize` to be one of"),
        (([0, 1], [0, 1], None, None, [1.0]), "`sample_weight` to hold 2"),
    ],
)
def test_bad_arguments(arguments, match):
    with pytest.raises(ValueError, match=match):
        visualization.plot_confusion_matrix(*arguments)
