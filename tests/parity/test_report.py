"""The page of a verdict."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from minikeras.parity.report import curves, page, write_report
from minikeras.parity.verdict import Difference, Verdict

DIFFERENCE = Difference("layer", "<b>", 0, "fit of 'm' (call 0)", "1 there, 2 here", 3)
HISTORIES = [("fit of 'm' (call 0)", {"loss": [1.0, 0.5]}, {"loss": [1.0, 0.6]})]
VERDICT = Verdict(
    "different", "<script>.py", "keras-jax", DIFFERENCE, histories=HISTORIES
)


def test_page_is_well_formed_and_escapes_names(tmp_path):
    write_report(VERDICT, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text == page(VERDICT)
    ElementTree.fromstring(text.replace("<!doctype html>", "").replace(
        '<meta charset="utf-8">', ""
    ))  # fmt: skip
    assert "<b>" not in text and "<script>" not in text
    assert "layer &#x27;&lt;b&gt;&#x27;" in text and "step 3" in text
    assert "http" not in text  # self-contained


def test_curves_leave_out_what_is_not_finite():
    for series in ([1.0, np.nan, 3.0], [np.inf, 1.0], [2.0, 2.0], [np.nan]):
        picture = ElementTree.fromstring(curves(series, [1.0, 2.0]))
        for line in picture.iter("polyline"):
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= 420 and 0 <= y <= 220


def test_words_and_data():
    assert str(VERDICT).splitlines()[1:3] == [
        "They part.",
        "First: layer '<b>' in fit of 'm' (call 0), step 3: 1 there, 2 here",
    ]
    data = VERDICT.to_json()
    assert not data["same"] and data["difference"]["step"] == 3
