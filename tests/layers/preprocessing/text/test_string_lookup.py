"""StringLookup: vocabularies, adapt, files."""

import numpy as np
import pytest

import minikeras
from minikeras import layers

DATA = np.array([["fire", "and", "earth", "michigan"], ["ohio", "wind", "and", "and"]])


def test_order_of_the_vocabulary():
    layer = layers.StringLookup(max_tokens=6)
    layer.adapt(["b", "a", "z", "b", "ä", "日", "[UNK]", "[UNK]"])
    assert layer.get_vocabulary() == ["[UNK]", "b", "日", "ä", "z", "a"]
    assert layer.get_vocabulary(include_special_tokens=False)[0] == "b"
    assert layer.vocabulary_size() == 6


@pytest.mark.parametrize("kind", ["U", "S", "O", "bytes", "T"])
def test_kinds_of_strings(kind):
    kinds = {"bytes": np.dtype("O"), "T": np.dtypes.StringDType()}
    values = [b"a", b"z"] if kind == "bytes" else ["a", "z"]
    x = np.array(values, kinds.get(kind, kind))
    layer = layers.StringLookup()
    layer.adapt(x)
    assert layer.get_vocabulary() == ["[UNK]", "z", "a"]
    assert layer(x).tolist() == [2, 1]


def test_tf_idf():
    layer = layers.StringLookup(output_mode="tf_idf")
    layer.adapt(DATA)
    found = np.asarray(layer(np.array([["and", "and", "ohio", "x"]])))
    common, rare = np.log(1 + 2 / 3), np.log(1 + 2 / 2)
    mean = (common + 5 * rare) / 6
    expected = [[mean, 2 * common, 0, rare, 0, 0, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_invert_gives_str():
    layer = layers.StringLookup(vocabulary=["a", "b"], invert=True)
    found = layer([[1, 2], [0, 9]])
    assert found.dtype == object
    assert found.tolist() == [["a", "b"], ["[UNK]", "[UNK]"]]


def test_encoding():
    layer = layers.StringLookup(vocabulary=["ä"], encoding="latin-1")
    assert layer(np.array([b"\xe4", b"a"])).tolist() == [1, 0]


def test_vocabulary_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("wind\nfire\n\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(path))
    assert layer(["fire", "x"]).tolist() == [2, 0]
    assert layer.get_config()["vocabulary"] is None  # no path leaves the process


def test_a_config_opens_no_file(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("password")
    for layer in (layers.StringLookup(), layers.TextVectorization()):
        config = {**layer.get_config(), "vocabulary": str(path)}
        with pytest.raises(ValueError, match="outside of the model archive"):
            type(layer).from_config(config)


def saved(layer, tmp_path, **arguments):
    """The layer of a model that was saved and loaded."""
    model = minikeras.Sequential([minikeras.Input((4,), dtype="string"), layer])
    path = tmp_path / ("model" if arguments else "model.keras")
    model.save(path, **arguments)
    return minikeras.saving.load_model(path).layers[-1]


@pytest.mark.parametrize("arguments", [{}, {"zipped": False}], ids=["file", "folder"])
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
def test_files(tmp_path, arguments, mode):
    layer = layers.StringLookup(output_mode=mode, mask_token="")
    layer.adapt(np.array([["b", "a", "ä ö", "a"]]))
    again = saved(layer, tmp_path, **arguments)
    assert again.get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(again(DATA), layer(DATA))


def test_an_empty_last_token_comes_back(tmp_path):
    layer = layers.StringLookup()
    layer.adapt(np.array([["b", "a", "", "b"]]))
    assert saved(layer, tmp_path).get_vocabulary() == ["[UNK]", "b", "a", ""]


def test_line_breaks_are_refused(tmp_path):
    layer = layers.StringLookup()
    layer.adapt(np.array([["b", "a\u2028b", "x", "y"]]))
    with pytest.raises(ValueError, match="line breaks"):
        layer.save_assets(tmp_path)
    static = layers.StringLookup(vocabulary=["a\nb"])
    assert saved(static, tmp_path).get_vocabulary() == ["[UNK]", "a\nb"]


def test_batches_of_inputs_and_targets_are_refused():
    with pytest.raises(ValueError, match="inputs alone"):
        layers.StringLookup().adapt((x, np.zeros(4)) for x in DATA)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.StringLookup()(DATA), "no vocabulary"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), "repeated term"),
        (lambda: layers.StringLookup(vocabulary=["a"])([1]), "takes strings"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(DATA), "static"),
        (
            lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]),
            "OOV values",
        ),
        (lambda: layers.StringLookup(vocabulary="/none"), "does not exist"),
    ],
)
def test_errors(make, error):
    with pytest.raises((TypeError, ValueError, RuntimeError), match=error):
        make()


def test_a_file_of_whole_numbers(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("10\n20\n")
    layer = layers.IntegerLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == [-1, 10, 20]
    assert layer([20, 5, 10]).tolist() == [2, 0, 1]
