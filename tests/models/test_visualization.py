"""The data of drawings; pydot itself is not needed."""

import sys
import types

import pytest

from minikeras import Input, Model, Sequential, layers, utils
from minikeras.models.visualization import Diagram, Style, diagram_of, label


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


def test_missing_tools_are_named(monkeypatch, tmp_path):
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        utils.model_to_dot(model)
    with pytest.raises(ImportError, match="pip install pydot"):
        utils.plot_model(model, tmp_path / "model.png")


def test_bad_arguments(monkeypatch):
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
