"""FeatureSpace: tables of mixed columns."""

import json
import zipfile

import numpy as np
import pytest

import minikeras as keras
from minikeras.data import Dataset
from minikeras.utils import FeatureSpace

pytest.importorskip("grain")

TABLE = {
    "plain": [0.0, 1.0, 2.0, 3.0],
    "normal": [1.0, 2.0, 3.0, 5.0],
    "binned": [0.1, 0.9, 0.4, 0.7],
    "number": [1, 2, 2, 7],
    "hashed": [3, 14, 15, 92],
    "text": ["x", "y", "x", "zz"],
}
FEATURES = {
    "plain": "float",
    "normal": "float_normalized",
    "binned": FeatureSpace.float_discretized(num_bins=2),
    "number": "integer_categorical",
    "hashed": FeatureSpace.integer_hashed(num_bins=4),
    "text": "string_categorical",
}


def space(**kwargs):
    options = {"crosses": [("number", "text")], "crossing_dim": 5, **kwargs}
    made = FeatureSpace(dict(FEATURES), **options)
    made.adapt(TABLE)
    return made


def row(i):
    return {name: column[i] for name, column in TABLE.items()}


def test_one_vector():
    # binned 2, hashed 4, normal 1, number 1 + 3, plain 1, text 1 + 3, cross 5
    own = space()
    encoded = np.asarray(own(TABLE))
    assert encoded.shape == (4, 21)
    np.testing.assert_array_equal(encoded[:, :2], [[1, 0], [0, 1], [0, 1], [0, 1]])
    normal = np.array(TABLE["normal"])
    np.testing.assert_allclose(
        encoded[:, 6], (normal - normal.mean()) / normal.std(), rtol=1e-5
    )
    np.testing.assert_array_equal(encoded[:, 7:11].argmax(1), [3, 1, 1, 2])
    np.testing.assert_array_equal(encoded[:, 11], TABLE["plain"])
    np.testing.assert_array_equal(encoded[:, 12:16].argmax(1), [1, 3, 1, 2])
    assert (encoded[:, 16:].sum(1) == 1).all()
    np.testing.assert_array_equal(own(row(2)), encoded[2])
    columns = {name: np.array(column)[:, None] for name, column in TABLE.items()}
    np.testing.assert_array_equal(own(columns), encoded)


def test_a_dict_of_ints():
    kinds = {
        "number": FeatureSpace.integer_categorical(output_mode="int"),
        "text": FeatureSpace.string_hashed(3, output_mode="int"),
        "plain": FeatureSpace.float_rescaled(2.0, 1.0),
    }
    cross = FeatureSpace.cross(("number", "text"), 5, output_mode="int")
    own = FeatureSpace(kinds, crosses=[cross], output_mode="dict")
    own.adapt({name: TABLE[name] for name in kinds})
    encoded = own(TABLE)
    assert set(encoded) == {*kinds, "number_X_text"}
    assert encoded["plain"].ravel().tolist() == [1.0, 3.0, 5.0, 7.0]
    assert encoded["number"].dtype == "int32" and encoded["number"].shape == (4, 1)
    assert own(row(1))["number_X_text"].shape == (1,)


def test_in_a_dataset_and_in_a_model():
    own, labels = space(), [0.0, 1.0, 0.0, 1.0]
    data = Dataset.from_tensor_slices((TABLE, labels))
    encoded = np.asarray(own(TABLE))
    mapped = next(iter(data.batch(4).map(lambda x, y: own(x))))
    np.testing.assert_allclose(mapped, encoded, rtol=1e-6)
    single = next(iter(data.map(lambda x, y: own(x), num_parallel_calls=2).batch(4)))
    np.testing.assert_allclose(single, encoded, rtol=1e-6)
    outputs = keras.layers.Dense(1)(own.get_encoded_features())
    model = keras.Model(own.get_inputs(), outputs)
    model.compile("sgd", "mse")
    losses = model.fit(data.batch(2), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    by_hand = encoded @ model.layers[-1].kernel.numpy() + model.layers[-1].bias.numpy()
    table = {name: np.array(column) for name, column in TABLE.items()}
    found = model.predict(table, verbose=0)
    np.testing.assert_allclose(found, by_hand, rtol=1e-5, atol=1e-6)


def test_files(tmp_path):
    own = space()
    own.save(tmp_path / "space.keras")
    with zipfile.ZipFile(tmp_path / "space.keras") as archive:
        names = archive.namelist()
        config = json.loads(archive.read("config.json"))
    assert "assets/preprocessors/string_lookup/vocabulary.txt" in names
    assert config["module"] == "keras.utils"
    loaded = keras.models.load_model(tmp_path / "space.keras")
    np.testing.assert_array_equal(loaded(TABLE), own(TABLE))


def test_layers_of_ones_own():
    lookup = keras.layers.StringLookup(vocabulary=["x", "y"])
    own = FeatureSpace(
        {"text": FeatureSpace.feature("string", lookup, "one_hot")}
    )  # nothing to adapt
    assert np.asarray(own({"text": ["y", "?"]})).tolist() == [[0, 0, 1], [1, 0, 0]]
    vectors = keras.layers.TextVectorization(output_mode="multi_hot")
    text = FeatureSpace.feature("string", vectors, "float")
    own = FeatureSpace({"text": text})
    own.adapt(Dataset.from_tensor_slices({"text": ["a b", "b c"]}).batch(2))
    assert own({"text": ["b b", "d"]}).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: FeatureSpace({}), "cannot be None or empty"),
        (lambda: FeatureSpace({"a": "floats"}), "Invalid feature type: floats"),
        (lambda: FeatureSpace({"a": "float"}, "list"), "output_mode"),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), "unknown"),
        (
            lambda: FeatureSpace(
                {"a": "string_hashed", "b": "string_hashed"},
                crosses=[("a", "b")],
                crossing_dim=None,
            ),
            "crossing_dim",
        ),
        (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), "output_mode"),
        (lambda: FeatureSpace(FEATURES)(TABLE), "You need to call `.adapt"),
        (lambda: space()([1.0]), "can only be called with a dict"),
        (lambda: FeatureSpace(FEATURES).adapt({"a": [1], "b": [1, 2]}), "in length"),
        (lambda: space()({"text": ["x"]}), "lacks the columns"),
        (lambda: FeatureSpace(FEATURES).adapt([1.0]), "can only be called on"),
        (
            lambda: FeatureSpace(FEATURES).adapt(
                Dataset.from_tensor_slices((TABLE, [0, 1, 0, 1]))
            ),
            "Take the columns alone",
        ),
        (
            lambda: FeatureSpace(
                {"a": FeatureSpace.integer_hashed(3, output_mode="int")}
            )({"a": [1]}),
            "Cannot concatenate",
        ),
    ],
)
def test_errors(call, match):
    with pytest.raises(ValueError, match=match):
        call()
