"""Hashes, look-ups and texts beside Keras's, which needs TensorFlow for them.

A case is an expression in `L`, the layers of one of the two packages.
"""

import itertools

import numpy as np
import pytest

import minikeras
from compat.layer_expressions import difference, outcome

WORDS = ["earth", "wind", "and", "fire", "", "a b", "ÄÖ", "日本", "[UNK]"]
VOCABULARY = ["earth", "wind", "and", "fire"]
DATA = np.array([["fire", "and", "earth", "michigan"], ["ohio", "wind", "and", "and"]])
COLUMN = np.array(["wind", "ohio", "fire", "", "wind"])
INTS = np.array([[12, 7, -3, 7], [9, 12, 0, 1000]])
TEXTS = np.array(
    ["The cat  sat.", "the DOG, the dog!", "", "Ünïcode ÄB c\u00a0d", "x\ty\nz 'q'"]
)
MODES = ["int", "one_hot", "multi_hot", "count", "tf_idf"]


def upper(x):
    """A user's `standardize`, which gets an array of str."""
    return np.char.upper(x)


def idf(mode, n):
    """The `idf_weights` argument of a mode."""
    return (
        f"idf_weights={[0.1 * i + 0.5 for i in range(n)]}, " if mode == "tf_idf" else ""
    )


def lookups():
    """StringLookup and IntegerLookup."""
    for mode, oov, mask in itertools.product(MODES, (0, 1, 3), ("None", "''", "'and'")):
        layer = f"L.StringLookup(None, {oov}, mask_token={mask}, output_mode='{mode}'"
        yield f"adapted({layer}), DATA)(DATA)"
        limited = layer.replace("None", "6", 1)
        yield f"adapted({limited}), DATA).get_vocabulary()"
        yield f"{layer}, {idf(mode, 4)}vocabulary=VOCABULARY)(DATA)"
        yield f"{layer}, {idf(mode, 4)}vocabulary=VOCABULARY)(COLUMN)"
    for mode in MODES[1:]:
        layer = (
            f"L.StringLookup(max_tokens=9, pad_to_max_tokens=True, output_mode='{mode}'"
        )
        yield f"{layer}, {idf(mode, 4)}vocabulary=VOCABULARY)(DATA)"
        yield f"{layer}, {idf(mode, 4)}vocabulary=VOCABULARY)(COLUMN[:, None])"
        yield f"adapted({layer}), DATA)(DATA)"
    for mode, oov, mask in itertools.product(MODES, (0, 1, 3), (None, 0, 7)):
        layer = f"L.IntegerLookup(None, {oov}, mask_token={mask}, output_mode='{mode}'"
        yield f"adapted({layer}), INTS)(INTS)"
        limited = layer.replace("None", "6", 1)
        yield f"adapted({limited}), INTS).get_vocabulary()"
        yield f"{layer}, {idf(mode, 3)}vocabulary=[12, 9, 5])(INTS)"
        yield f"{layer}, {idf(mode, 3)}vocabulary=[12, 9, 5])(INTS[0])"
    for extra in (
        ", oov_method='farmhash'",
        ", oov_method='farmhash', salt=5",
        ", salt=5",
    ):
        yield f"L.IntegerLookup(num_oov_indices=5, vocabulary=[12, 9, 5]{extra})(INTS)"
        yield f"L.StringLookup(num_oov_indices=5, vocabulary=VOCABULARY{extra})(DATA)"
    yield from """
        L.StringLookup(num_oov_indices=3, vocabulary=VOCABULARY)(WORDS)
        L.StringLookup(num_oov_indices=3, vocabulary=VOCABULARY, salt=[1, 2])(WORDS)
        L.StringLookup(vocabulary=VOCABULARY)("wind")
        L.StringLookup(vocabulary=VOCABULARY)([["wind"], ["ohio"]])
        L.StringLookup(vocabulary=VOCABULARY)(np.array([b"wind", b"x"]))
        L.StringLookup(vocabulary=VOCABULARY)(np.array([["wind"], ["x"]], object))
        L.StringLookup(vocabulary=VOCABULARY)(DATA[None])
        L.StringLookup(vocabulary=["日本", "ÄÖ"])(WORDS)
        L.StringLookup(vocabulary=VOCABULARY, output_mode="binary")(DATA)
        L.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot")("wind")
        L.StringLookup(vocabulary=VOCABULARY, output_mode="multi_hot")("wind")
        L.StringLookup(vocabulary=VOCABULARY, output_mode="one_hot")(DATA[None])
        L.IntegerLookup(vocabulary=[12, 9, 5], invert=True)([[0, 1], [3, 9]])
        L.IntegerLookup(vocabulary=[12, 9, 5], invert=True, mask_token=0)([[0, 1, 2], [3, 4, 9]])
        L.IntegerLookup(vocabulary=[12, 9, 5])(7)
        L.IntegerLookup(vocabulary=[12, 9, 5])(9)
        L.IntegerLookup(vocabulary=[12, 9, 5])([[9], [4]])
        L.IntegerLookup(vocabulary=np.array([12, 9, 5]))(INTS.astype("int32"))
        L.IntegerLookup(vocabulary=[12, 9, 5], output_mode="one_hot")([[9], [4]])
        L.IntegerLookup(vocabulary=[-1, 12, 9, 5]).get_vocabulary()
        L.IntegerLookup(vocabulary=[0, -1, 12], mask_token=0).get_vocabulary()
        L.IntegerLookup(vocabulary=[12, 9, 5], mask_token=0).get_vocabulary()
        L.IntegerLookup(vocabulary=[12, 9, 5]).get_vocabulary(include_special_tokens=False)
        L.StringLookup(vocabulary=["", "[UNK]", "a"], mask_token="").get_vocabulary()
        L.StringLookup(vocabulary=["[UNK]", "a"], num_oov_indices=1).get_vocabulary()
        L.StringLookup(vocabulary=["a"], num_oov_indices=3).get_vocabulary()
        L.StringLookup(vocabulary=("a", "b")).vocabulary_size()
        L.StringLookup().get_vocabulary()
        L.StringLookup(mask_token="").get_vocabulary()
        L.StringLookup()(DATA)
        L.StringLookup(num_oov_indices=0)(DATA)
        L.StringLookup(output_mode="count")(DATA)
        L.StringLookup(output_mode="count", max_tokens=7, pad_to_max_tokens=True)(DATA)
        L.StringLookup(vocabulary=["a", "b", "a"])
        L.StringLookup(vocabulary=["a", ""], mask_token="")
        L.StringLookup(vocabulary=["a", "[UNK]"])(["[UNK]", "a"])
        L.StringLookup(vocabulary=["a", "[UNK]"], invert=True)
        L.StringLookup(vocabulary=[])
        L.StringLookup(vocabulary=["a", "b"], max_tokens=2)
        L.StringLookup(vocabulary="/nowhere/vocabulary.txt")
        L.StringLookup(vocabulary=["a"], output_mode="tf_idf")
        L.StringLookup(vocabulary=["a"], idf_weights=[1.0])
        L.StringLookup(vocabulary=["a"], idf_weights=[1.0, 2.0], output_mode="tf_idf")
        L.StringLookup(max_tokens=1)
        L.StringLookup(num_oov_indices=-1)
        L.StringLookup(pad_to_max_tokens=True)
        L.StringLookup(output_mode="other")
        L.StringLookup(invert=True, output_mode="count")
        L.StringLookup(sparse=True, output_mode="count")
        L.StringLookup(salt="a")
        L.StringLookup(unknown=1)
        L.StringLookup(1, 2, "m", "o", ["b"]).get_vocabulary()
        L.StringLookup(9, 2, "m", "o", ["b"]).get_vocabulary()
        L.IntegerLookup(max_tokens=1)
        L.IntegerLookup(num_oov_indices=-1)
        L.IntegerLookup(vocabulary_dtype="int32")
        L.IntegerLookup(oov_method="x")
        L.IntegerLookup(salt=3)
        L.IntegerLookup(vocabulary=[12, 12, 5])
        L.IntegerLookup(vocabulary=[12, 5], num_oov_indices=0)([12, 7])
        L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"])
        updated(L.StringLookup(vocabulary=["a"]), DATA)
        adapted(L.StringLookup(vocabulary=["a"]), DATA)
        updated(L.StringLookup(), DATA, COLUMN, ["zz", "and"]).get_vocabulary()
        updated(L.StringLookup(output_mode="tf_idf"), DATA, COLUMN)(DATA)
        adapted(L.StringLookup(), COLUMN).get_vocabulary()
        adapted(L.StringLookup(), list(COLUMN)).get_vocabulary()
        adapted(L.StringLookup(), (x for x in DATA)).get_vocabulary()
        adapted(L.StringLookup(), (x for x in DATA), steps=1).get_vocabulary()
        adapted(adapted(L.StringLookup(), DATA), COLUMN).get_vocabulary()
        adapted(L.StringLookup(output_mode="tf_idf"), COLUMN)(COLUMN)
        adapted(L.StringLookup(max_tokens=3), ["[UNK]"] * 5 + ["a", "b", "b", "c"]).get_vocabulary()
        adapted(L.StringLookup(), ["ä", "z", "日", "a", "Z"]).get_vocabulary()
        adapted(L.IntegerLookup(), INTS).get_vocabulary()
        adapted(L.IntegerLookup(), [1, 2, 2, 3, 3]).get_vocabulary()
        adapted(L.IntegerLookup(), (x for x in INTS)).get_vocabulary()
        adapted(L.IntegerLookup(max_tokens=3), INTS).get_vocabulary()
        config(L.StringLookup())
        config(L.StringLookup(vocabulary=["a"], encoding="latin-1"))
        config(L.StringLookup(vocabulary=np.array(["a"]), salt=4))
        config(adapted(L.StringLookup(), DATA))
        config(L.IntegerLookup())
        config(L.IntegerLookup(vocabulary=np.array([1, 2]), mask_token=0, salt=4, oov_method="farmhash"))
        config(L.StringLookup(vocabulary=["a"], output_mode="tf_idf", idf_weights=np.array([0.5])))
        again(L.StringLookup(vocabulary=["a", "b"]))(["b", "c"])
        again(L.IntegerLookup(vocabulary=[5, 9]))([9, 1])
        L.StringLookup(vocabulary=["a"]).compute_output_shape((None, 3))
        L.StringLookup(vocabulary=["a"], output_mode="one_hot").compute_output_shape((None, 3))
        L.StringLookup(vocabulary=["a"], output_mode="one_hot").compute_output_shape((None, 1))
        L.StringLookup(vocabulary=["a"], output_mode="count").compute_output_shape((None, 3))
        L.StringLookup(output_mode="count", max_tokens=5, pad_to_max_tokens=True).compute_output_shape((2, 3))
    """.strip().splitlines()  # noqa: E501


def hashes():
    """Hashing and HashedCrossing."""
    for mode, mask, salt in itertools.product(
        MODES[:4], ("None", "''"), (None, 133, [133, 137])
    ):
        layer = f"L.Hashing(4, {mask}, {salt}, output_mode='{mode}')"
        yield f"{layer}(np.array([['omar', 'stringer'], ['', 'wire']]))"
        yield f"{layer}(np.array([['omar'], ['marlo'], ['']]))"
        yield f"config({layer})"
    for mode, mask, salt in itertools.product(MODES[:4], (None, 7), (None, 133)):
        layer = f"L.Hashing(4, {mask}, {salt}, output_mode='{mode}')"
        yield f"{layer}(INTS)"
        yield f"{layer}(INTS[0])"
    for mode in ("int", "one_hot"):
        layer = f"L.HashedCrossing(num_bins=10, output_mode='{mode}')"
        yield f"{layer}((COLUMN, np.array([101, 101, -4, 102, 7])))"
        yield f"{layer}((COLUMN[:, None], COLUMN[::-1, None], np.arange(5)[:, None]))"
        yield f"{layer}(['A', 101])"
        yield f"{layer}((np.array(['A', 'B']),))"
        yield f"{layer}(np.array(['A', 'B']))"
        yield f"{layer}((np.array(['A', 'B']), np.array(['A'])))"
        yield f"{layer}((np.array([['A', 'B']]), np.array([['A', 'C']])))"
        yield f"{layer}((np.array([1.5, 2.5]), np.array([1, 2])))"
        yield f"{layer}.compute_output_shape(((2, 1), (2, 1)))"
        yield f"{layer}.compute_output_shape(((2,), (2,)))"
        yield f"config({layer})"
    yield from """
        L.Hashing(num_bins=3)("omar")
        L.Hashing(num_bins=3)(["omar", "x" * 100])
        L.Hashing(num_bins=3)(7)
        L.Hashing(num_bins=3)(np.array([1.7, -2.3, 1e6], "float32"))
        L.Hashing(num_bins=3)(np.array([1, 2], "int32"))
        L.Hashing(num_bins=3)(np.array([True, False]))
        L.Hashing(num_bins=3, dtype="int32")(["a"])
        L.Hashing(num_bins=1, mask_value="")(["a", ""])
        L.Hashing(num_bins=3)(DATA[None])
        L.Hashing(num_bins=3).compute_output_shape((None, 2))
        L.Hashing(num_bins=3, output_mode="count").compute_output_shape((None, 2))
        L.Hashing(num_bins=0)
        L.Hashing(num_bins=None)
        L.Hashing(num_bins=3, salt="x")
        L.Hashing(num_bins=3, salt=[1])
        L.Hashing(num_bins=3, output_mode="tf_idf")
        L.Hashing(num_bins=3, sparse=True)
        L.Hashing(num_bins=3, dtype="float32")
        again(L.Hashing(num_bins=3, salt=4))(["a", "b"])
        again(L.HashedCrossing(num_bins=3))((np.array(["a", "b"]), np.array([1, 2])))
        L.HashedCrossing(num_bins=3, output_mode="count")
        L.HashedCrossing(num_bins=3, sparse=True, output_mode="one_hot")
    """.strip().splitlines()  # noqa: E501


def texts():
    """TextVectorization."""
    for standardize, split, ngrams in itertools.product(
        (
            "'lower_and_strip_punctuation'",
            "'lower'",
            "'strip_punctuation'",
            "None",
            "upper",
        ),
        ("'whitespace'", "'character'", "None"),
        ("None", "2", "(1, 3)"),
    ):
        layer = f"L.TextVectorization(None, {standardize}, {split}, {ngrams}"
        yield f"adapted({layer}), TEXTS)(TEXTS)"
        yield f"adapted({layer}), TEXTS).get_vocabulary()"
    for mode, extra in itertools.product(
        MODES[:1] + MODES[2:],
        ("", "max_tokens=7", "max_tokens=30, pad_to_max_tokens=True"),
    ):
        layer = f"L.TextVectorization(output_mode='{mode}', {extra})"
        yield f"adapted({layer}, TEXTS)(TEXTS)"
        yield f"adapted({layer}, TEXTS[:, None])(TEXTS[:, None])"
        yield f"adapted({layer}, TEXTS)(TEXTS[0])"
    yield from """
        L.TextVectorization(vocabulary=VOCABULARY)(["wind and rain", "fire"])
        L.TextVectorization(vocabulary=VOCABULARY)([["wind and rain"], ["fire"]])
        L.TextVectorization(vocabulary=VOCABULARY)("wind and rain")
        L.TextVectorization(vocabulary=VOCABULARY, output_sequence_length=2)(["wind and rain", "fire"])
        L.TextVectorization(vocabulary=VOCABULARY, output_sequence_length=5)(["wind and rain", "fire"])
        L.TextVectorization(vocabulary=VOCABULARY, output_sequence_length=5, split=None)(DATA)
        L.TextVectorization(vocabulary=VOCABULARY, output_sequence_length=2, split=None)(DATA)
        L.TextVectorization(vocabulary=VOCABULARY, split=None)(DATA)
        L.TextVectorization(vocabulary=VOCABULARY, split=None, output_mode="count")(DATA)
        L.TextVectorization(vocabulary=VOCABULARY, split=None, ngrams=2)(DATA)
        L.TextVectorization(vocabulary=VOCABULARY)(DATA)
        L.TextVectorization(vocabulary=VOCABULARY)(np.array([b"wind x", b"FIRE"]))
        L.TextVectorization(vocabulary=VOCABULARY).get_vocabulary()
        L.TextVectorization(vocabulary=VOCABULARY, output_mode="count").get_vocabulary()
        L.TextVectorization(vocabulary=VOCABULARY).vocabulary_size()
        L.TextVectorization(vocabulary=VOCABULARY).get_vocabulary(False)
        L.TextVectorization().get_vocabulary()
        L.TextVectorization()(["a b"])
        L.TextVectorization(output_mode="count")(["a b"])
        L.TextVectorization(ragged=True)
        L.TextVectorization(sparse=True, output_mode="count")
        L.TextVectorization(standardize="x")
        L.TextVectorization(split="x")
        L.TextVectorization(ngrams="x")
        L.TextVectorization(output_mode="x")
        L.TextVectorization(output_mode="count", output_sequence_length=3)
        L.TextVectorization(output_sequence_length="x")
        L.TextVectorization(max_tokens=1)
        L.TextVectorization(unknown=1)
        adapted(L.TextVectorization(max_tokens=5), (x for x in (TEXTS[:2], TEXTS[2:]))).get_vocabulary()
        adapted(L.TextVectorization(), list(TEXTS)).get_vocabulary()
        adapted(L.TextVectorization(), (x for x in (TEXTS[:2], TEXTS[2:])), steps=1).get_vocabulary()
        updated(L.TextVectorization(output_mode="tf_idf"), TEXTS[:2], TEXTS[2:])(TEXTS)
        config(L.TextVectorization())
        config(L.TextVectorization(vocabulary=VOCABULARY, ngrams=(1, 2)))
        config(adapted(L.TextVectorization(max_tokens=9, output_mode="tf_idf"), TEXTS))
        again(L.TextVectorization(vocabulary=VOCABULARY, ngrams=(1, 2)))(["wind fire and"])
        L.TextVectorization(output_sequence_length=4).compute_output_shape((None, 1))
        L.TextVectorization(output_sequence_length=4).compute_output_shape((None,))
        L.TextVectorization(vocabulary=VOCABULARY, output_mode="count").compute_output_shape((None,))
        L.TextVectorization(vocabulary=VOCABULARY, output_mode="count", split=None).compute_output_shape((3, 5))
    """.strip().splitlines()  # noqa: E501


CASES = [case.strip() for case in (*lookups(), *hashes(), *texts())]


# `make test` runs one in 16, `make parity` all.
DRAWS = [
    pytest.param(n, marks=[pytest.mark.slow] if n % 16 else [])
    for n in range(len(CASES))
]


@pytest.mark.parametrize("number", DRAWS)
def test_layers_of_text_equal_keras(number):
    pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    case = CASES[number]
    ours, theirs = (outcome(p, case, globals()) for p in (minikeras, keras))
    found = difference(ours, theirs)
    assert found is None, f"{case}\n{found}"


# Where Keras on JAX raises an error, or contradicts its own outputs:
# (expression, the value).
OURS = [
    ("L.StringLookup(vocabulary=['a'], invert=True)([[0, 1]])", [["[UNK]", "a"]]),
    (
        "L.StringLookup(vocabulary=['a'], invert=True, oov_token='?')([1, 9])",
        ["a", "?"],
    ),
    ("L.Hashing(num_bins=3, output_mode='one_hot')('omar')", [[0, 0, 1]]),
    ("L.Hashing(2, output_mode='count', dtype='float16')(DATA).dtype.name", "float16"),
    (
        "L.TextVectorization(vocabulary=VOCABULARY, output_mode='count')"
        ".compute_output_shape((3, 1))",
        [3, 5],
    ),
]


@pytest.mark.parametrize("number", range(len(OURS)))
def test_what_keras_on_jax_has_no_answer_for(number):
    case, expected = OURS[number]
    found = outcome(minikeras, case, globals())
    assert np.asarray(found).tolist() == expected, case
