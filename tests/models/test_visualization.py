"""The data of drawings; pydot itself is not needed."""

import sys
import types

import numpy as np
import pytest

from minikeras import Input, Model, Sequential, layers, utils
from minikeras.models.diagram import Diagram, Style, diagram_of, label


def nested():
    """Two inputs into a nested model, one of its outputs into a stack."""
    a, b = Input((3,), name="a"), Input((3,), name="b")
    inner = Model([a, b], [layers.Add(name="sum")([a, b]), layers.Dense(2)(a)])
    inner.name = "inner"
    x, y = Input((3,), name="x"), Input((3,), name="y")
    first, _ = inner([x, y])
    stack = [layers.Dense(2, name="one"), layers.Dense(1, name="two")]
    return Model([x, y], Sequential(stack, name="stack")(first), name="outer")


def named(result, names=None):
    """Arrows by the names in the boxes."""
    names = {} if names is None else names
    for part in result.parts:
        if isinstance(part, Diagram):
            named(part, names)
        else:
            names[part[0]] = part[1].split("<b>")[1].split("</b>")[0]
    return [(names[a], names[b]) for a, b in result.edges]


def test_arrows():
    assert named(diagram_of(nested(), Style())) == [
        ("x", "inner"),
        ("y", "inner"),
        ("inner", "stack"),
    ]


def test_arrows_into_nested_models():
    result = diagram_of(nested(), Style(), expand_nested=True)
    assert named(result) == [("x", "a"), ("y", "b"), ("sum", "one")]
    frames = [part for part in result.parts if isinstance(part, Diagram)]
    assert [frame.name for frame in frames] == ["inner", "stack"]
    assert named(frames[1]) == [("one", "two")]


def test_repeated_arrows_are_one():
    x = Input((3,), name="x")
    layer = layers.Dense(3, name="shared")
    result = diagram_of(
        Model(x, layers.Add(name="sum")([layer(layer(x))] * 2)), Style()
    )
    assert named(result) == [("x", "shared"), ("shared", "shared"), ("shared", "sum")]


def test_labels():
    model = Sequential(
        [layers.Input((3,)), layers.Dense(2, activation=lambda x: x, name="dense")]
    )
    style = Style(shapes=True, dtype=True, activations=True, trainable=True)
    text = label(model.layers[0], style)
    for words in ("<b>dense</b> (Dense)", "&lt;lambda&gt;", "(None, 3)", "(None, 2)"):
        assert words in text
    assert 'colspan="4"' in text
    assert ">Trainable<" in text.replace("<b>", "").replace("</b>", "")
    model.trainable = False
    assert "Non-trainable" in label(model.layers[0], style)
    assert "dense" not in label(model.layers[0], Style(names=False))
    assert "<b>?</b>" in label(layers.Dense(2), style)


def without(monkeypatch, *modules):
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


def test_missing_tools_are_named(monkeypatch, tmp_path):
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    without(monkeypatch, "pydot", "matplotlib.backends.backend_agg")
    with pytest.raises(ImportError, match="pip install pydot"):
        utils.model_to_dot(model)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        utils.plot_model(model, tmp_path / "model.png")


FULL = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_names": True,
    "show_layer_activations": True,
    "show_trainable": True,
}


def size_of(path):
    """(width, height) in a PNG file."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return tuple(int.from_bytes(data[i : i + 4], "big") for i in (16, 20))


def test_matplotlib_draws_without_graphviz(monkeypatch, tmp_path):
    without(monkeypatch, "pydot")
    pyplot, state = sys.modules.get("matplotlib.pyplot"), str(np.random.get_state())
    model, sizes = nested(), {}
    options = {
        "plain": {},
        "full": FULL,
        "nested": {"expand_nested": True, "splines": "curved"},
        "fine": {"dpi": 400},
    }
    for direction in ("TB", "BT", "LR", "RL"):
        for name, option in options.items():
            path = tmp_path / f"{direction}_{name}.png"
            assert utils.plot_model(model, path, rankdir=direction, **option) is None
            sizes[direction, name] = size_of(path)
    for name in options:
        assert sizes["TB", name] == sizes["BT", name]
        assert sizes["LR", name] == sizes["RL", name] != sizes["TB", name]
    for i in (0, 1):
        assert sizes["TB", "full"][i] > sizes["TB", "plain"][i]
        # Letters are as wide as whole dots, so twice the dots are nearly twice as wide.
        assert abs(sizes["TB", "fine"][i] / sizes["TB", "plain"][i] - 2) < 0.1
    assert sizes["TB", "nested"][1] > sizes["TB", "plain"][1]
    # No backend is chosen, and no generator moves.
    assert sys.modules.get("matplotlib.pyplot") is pyplot
    assert str(np.random.get_state()) == state


def test_what_matplotlib_writes(monkeypatch, tmp_path):
    without(monkeypatch, "pydot")
    monkeypatch.chdir(tmp_path)
    # Graphs with one layer called again and again, of one box, and of odd names.
    x = Input((3,), name="x")
    shared = layers.Dense(3, name="$a_b$ & <c>")
    shared_twice = Model(x, layers.Add()([shared(shared(x)), shared(x)]))
    dense = layers.Dense(2)
    subclass = type("Net", (Model,), {"call": lambda self, x: x + 1})()
    subclass.build((None, 3))
    for i, model in enumerate((shared_twice, subclass, Sequential([x, dense]))):
        utils.plot_model(model, f"{i}.svg", **FULL)
    text = (tmp_path / "0.svg").read_text()
    assert "<svg" in text and "$a_b$ &amp; &lt;c&gt;" in text
    utils.plot_model(shared_twice, "no_ending")
    assert size_of(tmp_path / "no_ending.png")
    utils.plot_model(shared_twice, "lines.PDF", splines="polyline")
    assert (tmp_path / "lines.PDF").read_bytes()[:4] == b"%PDF"
    with pytest.raises(ValueError, match="'.xyz'.*png"):
        utils.plot_model(shared_twice, "model.xyz")
    with pytest.raises(ValueError, match="rankdir.*'XX'"):
        utils.plot_model(shared_twice, rankdir="XX")
    with pytest.raises(ValueError, match="splines.*'wavy'"):
        utils.plot_model(shared_twice, splines="wavy")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        utils.plot_model(shared_twice, "nowhere/model.png")
    with pytest.raises(ValueError, match="not yet been built"):
        utils.plot_model(Sequential([dense]), "model.png")
    assert len(list(tmp_path.iterdir())) == 5


def test_a_notebook_shows_the_picture(monkeypatch, tmp_path):
    without(monkeypatch, "pydot")
    shown = types.SimpleNamespace(
        Image=lambda filename: ("image", filename), SVG=lambda name: ("svg", name)
    )
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    for ending, kind in (("png", "image"), ("svg", "svg")):
        path = str(tmp_path / f"model.{ending}")
        assert utils.plot_model(nested(), path) == (kind, path)
    assert utils.plot_model(nested(), tmp_path / "model.pdf") is None


def test_bad_arguments(monkeypatch):
    with pytest.raises(ValueError, match="layer_range"):
        utils.plot_model(nested(), layer_range=["a", "b"])
    monkeypatch.setitem(sys.modules, "pydot", types.ModuleType("pydot"))
    with pytest.raises(ValueError, match="not yet been built"):
        utils.model_to_dot(Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match="layer_range"):
        utils.model_to_dot(nested(), layer_range=["a", "b"])


def test_source_inputs():
    x, y, z = (Input((2,)) for _ in range(3))
    inner = layers.Add()([y, layers.Dense(2)(x)])
    assert utils.get_source_inputs(layers.Add()([inner, z, y])) == [y, x, z]
    assert utils.get_source_inputs(x) == [x]
    assert utils.get_source_inputs(3) == 3
