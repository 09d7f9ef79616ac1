"""TextVectorization and how texts are cut into tokens."""

import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.layers.preprocessing.text import tokenization

TEXTS = np.array(
    ["The cat  sat.", "the DOG!", "", "Ünïcode ÄB c\u00a0d", "x\ty\nz 'q'"]
)


def words(texts, *, standardize=None, split="whitespace", ngrams=None):
    found = tokenization.tokenize(np.array(texts), standardize, split, ngrams, "utf-8")
    ends = np.cumsum(found.lengths)
    texts = [t.decode() for t in found.values]
    return [texts[e - n : e] for e, n in zip(ends, found.lengths, strict=True)]


def test_white_space_and_case_are_those_of_ascii():
    found = words(TEXTS, standardize="lower_and_strip_punctuation")
    assert found == [
        ["the", "cat", "sat"],
        ["the", "dog"],
        [],
        ["Ünïcode", "Äb", "c\u00a0d"],
        ["x", "y", "z", "q"],
    ]


def test_split_of_many_texts_equals_that_of_each():
    rng = np.random.default_rng(0)
    texts = [
        "".join(rng.choice(list("ab \t\n\v\fä"), n)) for n in rng.integers(0, 9, 200)
    ]
    expected = [[w.decode() for w in t.encode().split()] for t in texts]
    assert words(texts) == expected
    assert words([""]) == [[]]


def test_characters_ngrams_and_functions():
    assert words(["aß", ""], split="character") == [["a", "ß"], []]
    assert words(["a b c", "d"], ngrams=(1, 2)) == [
        ["a", "b", "c", "a b", "b c"],
        ["d"],
    ]
    assert words(["a-b", "c"], split=lambda x: np.char.split(x, "-")) == [
        ["a", "b"],
        ["c"],
    ]
    assert words(["ab"], standardize=np.char.upper) == [["AB"]]


def test_padding():
    layer = layers.TextVectorization(vocabulary=["a", "b"])
    assert layer(["a b x", "b"]).tolist() == [[2, 3, 1], [3, 0, 0]]
    assert layer([["a b x"], ["b"]]).tolist() == [[2, 3, 1], [3, 0, 0]]
    for length, expected in ((2, [[2, 3], [3, 0]]), (4, [[2, 3, 1, 0], [3, 0, 0, 0]])):
        layer = layers.TextVectorization(
            vocabulary=["a", "b"], output_sequence_length=length
        )
        assert layer(["a b x", "b"]).tolist() == expected
        assert layer.compute_output_shape((None,)) == (None, length)


def test_many_texts_are_cut_in_parts():
    texts = np.array([" ".join("ab"[i % 2] for i in range(n % 5)) for n in range(600)])
    layer = layers.TextVectorization()
    layer.adapt(texts)
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "b"]
    found = layer(texts)
    assert found.shape == (600, 4)
    assert found[:5].tolist() == found[595:].tolist() == layer(texts[:5]).tolist()


def test_adapt_in_parts_equals_adapt_of_all():
    whole, parts = layers.TextVectorization(), layers.TextVectorization()
    whole.adapt(TEXTS)
    parts.adapt(TEXTS, batch_size=2)
    assert whole.get_vocabulary() == parts.get_vocabulary()
    parts.adapt(TEXTS, batch_size=2, steps=1)
    assert parts.get_vocabulary() == ["", "[UNK]", "the", "sat", "dog", "cat"]


def test_pandas():
    pandas = pytest.importorskip("pandas")
    layer = layers.TextVectorization()
    layer.adapt(pandas.Series(["a b", "b"]))
    assert layer(pandas.Series(["b a"])).tolist() == [[2, 3]]


@pytest.mark.parametrize("mode", ["int", "count", "tf_idf"])
def test_files(tmp_path, mode):
    layer = layers.TextVectorization(output_mode=mode, ngrams=2)
    layer.adapt(TEXTS)
    model = minikeras.Sequential([minikeras.Input((1,), dtype="string"), layer])
    path = tmp_path / "model.keras"
    model.save(path)
    again = minikeras.saving.load_model(path).layers[-1]
    assert again.get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(again(TEXTS), layer(TEXTS))


def test_it_trains():
    layer = layers.TextVectorization(output_mode="count")
    layer.adapt(TEXTS)
    model = minikeras.Sequential([layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    losses = model.fit(TEXTS[:, None], np.arange(5.0), epochs=3, verbose=0).history
    assert losses["loss"][-1] < losses["loss"][0]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.TextVectorization(ragged=True), "ragged=False"),
        (lambda: layers.TextVectorization(ngrams="a"), "`ngrams`"),
        (lambda: layers.TextVectorization(split="comma"), "`split`"),
        (lambda: layers.TextVectorization()(TEXTS), "no vocabulary"),
        (lambda: layers.TextVectorization(vocabulary=["a"])([1]), "takes strings"),
        (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), "rank"),
    ],
)
def test_errors(make, error):
    with pytest.raises((TypeError, ValueError, RuntimeError), match=error):
        make()


def test_a_batch_of_empty_texts_and_one_long_text():
    vectors = layers.TextVectorization(vocabulary=["a"], output_mode="multi_hot")
    assert vectors(np.array(["", ""])).tolist() == [[0, 0], [0, 0]]
    rows = layers.TextVectorization(vocabulary=["x"], output_sequence_length=2)
    # As an array of fixed width, these texts would take 8 GB.
    found = rows(["x y"] * 20_000 + ["w " * 50_000])
    assert found.shape == (20_001, 2) and found[-1].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.StringLookup(vocabulary={"a", "b"}), TypeError),
        (lambda: layers.StringLookup(vocabulary=["a", None]), ValueError),
        (lambda: layers.StringLookup().adapt(np.array(["a", None], object)), TypeError),
        (lambda: layers.TextVectorization().adapt([{"a": np.array(["x"])}]), TypeError),
        (lambda: layers.IntegerLookup().adapt(np.array([1.0, np.nan])), ValueError),
        (lambda: layers.Hashing(3, mask_value=1)(np.array(["1"])), TypeError),
        (lambda: layers.Hashing(3)(np.array(["a", None], object)), TypeError),
    ],
)
def test_what_is_no_text_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_bytes_are_masked_and_empty_data_is_no_data():
    masked = layers.Hashing(3, mask_value="a")
    assert masked(np.array([b"a", b"b"])).tolist() == masked(["a", "b"]).tolist()
    look_up = layers.StringLookup()
    look_up.adapt(np.array([], dtype=str))
    assert look_up.get_vocabulary() == ["[UNK]"]
    two = layers.Hashing(100)(["a\0", "a"])
    assert int(two[0]) != int(two[1])
