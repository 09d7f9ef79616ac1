"""The page of a training."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks import Report
from minikeras.callbacks.report import predictions
from minikeras.core import html_page

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")


def parsed(text):
    """The page as XML: it is well formed but for the tags that HTML leaves open."""
    text = re.sub(r"<(meta|img)([^>]*)>", r"<\1\2/>", text.split(">", 1)[1])
    return ElementTree.fromstring(text.replace("&#9644;", "-"))


def train(path, outputs=1, y=None, epochs=2, **settings):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(outputs)], name="<m>"
    )
    loss = "mse" if outputs == 1 else keras.losses.SparseCategoricalCrossentropy(True)
    model.compile("sgd", loss, metrics=["mae"] if outputs == 1 else ["accuracy"])
    y = X[:, :1] if y is None else y
    report = Report(path, gradient_freq=2, **settings)
    model.fit(
        X, y, batch_size=8, epochs=epochs, verbose=0, callbacks=[report],
        validation_split=0.25,
    )  # fmt: skip
    return report


def test_it_shows_curves_layers_seconds_and_environment(tmp_path):
    report = train(tmp_path / "run.html", data=(X, X[:, :1]))
    text = (tmp_path / "run.html").read_text()
    page = parsed(text)
    titles = [h.text for h in page.iter("h2")]
    assert titles == [
        "Metrics", "Layers", "Residuals", "Worst samples", "Seconds", "Environment",
    ]  # fmt: skip
    captions = [c.text for c in page.iter("figcaption")]
    assert captions[:3] == ["loss", "mae", "learning_rate"]
    assert "norm of the gradient" in captions and "norm of the weights" in captions
    assert page.find(".//h1").text == "Training of <m>"
    assert "refresh" not in text and "http:" not in text and "https:" not in text
    assert [row["epoch"] for row in report.epochs] == [1, 2]
    assert set(report.seconds[0]) >= {"first dispatch", "training", "validation"}


def test_a_browser_loads_it_again_while_it_runs(tmp_path):
    pages = []

    class Look(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            pages.append(path.exists() and path.read_text())

    path = tmp_path / "run.html"
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=[Report(path), Look()])
    assert pages[0] is False and 'http-equiv="refresh"' in pages[1]


def test_classes_are_counted(tmp_path):
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    train(tmp_path / "run.html", 3, y, data=(X, y), class_names=["a", "b", "<c>"])
    page = parsed((tmp_path / "run.html").read_text())
    cells = [int(c.text) for c in page.iter("td") if "rgba" in c.get("style", "")]
    assert len(cells) == 9 and sum(cells) == 32
    assert "<c>" in [h.text for h in page.iter("th")]


@pytest.mark.parametrize(
    ("y", "outputs"),
    [
        ([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]),  # probabilities
        ([[1, 0], [0, 1], [0, 1]], [[2.0, 0.0], [-1.0, 1.0], [1.0, 0.0]]),  # one-hot
        ([[0], [1], [1]], [[0.1], [0.8], [0.3]]),  # one unit
        ([0, 1, 1], [-3.0, 2.0, -1.0]),  # a logit
    ],
)
def test_the_worst_sample_is_the_last(y, outputs):
    page = "".join(predictions(X[:3], np.array(y), np.array(outputs), None, 1))
    assert "sample 2, loss" in page and "1, taken for 0" in page


def test_images_are_shown():
    images = RNG.uniform(size=(3, 8, 8, 1)).astype("float32")
    page = "".join(predictions(images, np.arange(3), np.eye(3), None, 2))
    assert page.count('src="data:image/png;base64,') == 2


def test_what_it_cannot_show_is_left_out():
    assert predictions(X, np.zeros((32, 5, 2)), np.zeros((32, 5, 2)), None, 3) == []


def test_bad_data_are_refused():
    with pytest.raises(ValueError, match=r"expected data=\(x, y\), got ndarray"):
        Report("run.html", data=X)
    with pytest.raises(ValueError, match="of one length, got"):
        Report("run.html", data=(X, X[:3]))


def test_charts_leave_out_what_is_not_finite():
    lines = {"a": html_page.Line([(1, 1.0), (2, np.nan), (3, 100.0)])}
    for log in (False, True):
        picture = ElementTree.fromstring(
            html_page.chart(lines, log).replace("&#9644;", "-")
        )
        (line,) = picture.iter("polyline")
        assert len(line.get("points").split()) == 2
    html_page.chart({"empty": html_page.Line([])}, log=True)
    html_page.chart({"zero": html_page.Line([(1, 0.0)])}, log=True)
