"""Old preprocessing of texts and series against real Keras: values and draws."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from keras.src.legacy.preprocessing import sequence as keras_sequence
from keras.src.legacy.preprocessing import text as keras_text

import minikeras
from compat.old_runs import as_id, assert_same, train
from minikeras.legacy.preprocessing import sequence, text

pytestmark = pytest.mark.filterwarnings("ignore")

# -- text -----------------------------------------------------------------------------
TEXTS = ["The cat sat on the mat.", "The dog, a dog!", ["Cat", "BIRD", "cat"], "é É x"]
TOKENIZERS = [
    {},
    {"num_words": 4},
    {"num_words": 4, "oov_token": "<oov>"},
    {"num_words": 3, "oov_token": "", "split": "a"},
    {"char_level": True, "num_words": 6},
    {"char_level": True, "oov_token": "é"},
    {"lower": False, "oov_token": "x", "filters": ",t"},
    {"document_count": 5},
    {"nb_words": 3},
    {"analyzer": lambda x: x.split() if isinstance(x, str) else x},
]


@pytest.mark.parametrize("options", TOKENIZERS, ids=as_id)
def test_tokenizer(options):
    def run(module):
        tokenizer = module.Tokenizer(**options)
        tokenizer.fit_on_texts(TEXTS)
        new = [*TEXTS, "zebra cat", ""]
        sequences = tokenizer.texts_to_sequences(new)
        numbers = [*sequences, [99, 0, 1]]
        found = [sequences, tokenizer.sequences_to_texts(numbers)]
        found += [list(tokenizer.sequences_to_texts_generator(numbers))]
        for mode in ("binary", "count", "freq", "tfidf"):
            found.append(tokenizer.texts_to_matrix(new, mode))
            found.append(tokenizer.sequences_to_matrix(sequences, mode))
        tokenizer.fit_on_texts(["new cat words"])
        config = tokenizer.get_config()
        for name in ("word_docs", "index_docs"):  # in the order of a set
            config.pop(name)
        again = module.tokenizer_from_json(tokenizer.to_json())
        return [*found, config, again.texts_to_sequences(new), again.to_json() and 1]

    result = assert_same(run, keras_text, text)
    assert not isinstance(result, type) or result is TypeError


def test_tokenizers_files_go_both_ways():
    ours = text.Tokenizer(num_words=4, oov_token="?")
    ours.fit_on_texts(TEXTS)
    theirs = keras_text.tokenizer_from_json(ours.to_json())
    assert theirs.texts_to_sequences(TEXTS) == ours.texts_to_sequences(TEXTS)
    again = text.tokenizer_from_json(theirs.to_json())
    assert again.to_json() == ours.to_json() == theirs.to_json()


TEXT_CALLS = [
    lambda m: m.text_to_word_sequence("Hello, World  a\tb-c"),
    lambda m: m.text_to_word_sequence("A::B,x", filters=",", lower=False, split="::"),
    lambda m: m.one_hot("Hello world hello foo", 10),
    lambda m: m.one_hot("ab", 7, analyzer=list),
    lambda m: m.hashing_trick("Hello world hello", 10, "md5"),
    lambda m: m.hashing_trick("Hello world hello", 10, len),
    lambda m: m.Tokenizer().texts_to_matrix(["a"]),
    lambda m: m.Tokenizer(num_words=5).sequences_to_matrix([[1]], "tfidf"),
    lambda m: m.Tokenizer(num_words=5).sequences_to_matrix([[1, 0, 7]], "freq"),
    lambda m: m.Tokenizer(foo=1),
]


@pytest.mark.parametrize("call", TEXT_CALLS)
def test_text(call):
    assert_same(call, keras_text, text)


def test_sequences_alone():
    def run(module):
        tokenizer = module.Tokenizer(num_words=5)
        tokenizer.fit_on_sequences([[1, 2, 2], [3, 1]])
        return tokenizer.sequences_to_matrix([[1, 2, 2, 7], [], [0, 4]], "tfidf")

    assert_same(run, keras_text, text)


# -- sequences ------------------------------------------------------------------------
SKIPGRAMS = [
    {"window_size": 1, "shuffle": False},
    {"window_size": 2, "seed": 7},
    {"window_size": 1, "seed": 0, "negative_samples": 0.4},
    {"negative_samples": 0, "categorical": True},
    {"negative_samples": 2.5, "categorical": True, "shuffle": False},
    {"sampling_table": [0.1, 0.5, 0.6, 0.9, 1.0]},
]


@pytest.mark.parametrize("options", SKIPGRAMS, ids=as_id)
def test_skipgrams(options):
    for words in ([1, 2, 0, 3, 4, 2], [], [1]):
        run = lambda m: m.skipgrams(words, 5, **options)  # noqa: E731, B023
        assert_same(run, keras_sequence, sequence)


@pytest.mark.parametrize("arguments", [(8,), (1,), (50, 0.01), (2000,)])
def test_sampling_table(arguments):
    run = lambda m: m.make_sampling_table(*arguments)  # noqa: E731
    assert_same(run, keras_sequence, sequence)


SERIES = np.arange(20.0).reshape(10, 2)
WINDOWS = [
    {"length": 3, "batch_size": 2},
    {"length": 4, "sampling_rate": 2, "stride": 3, "batch_size": 2},
    {"length": 2, "start_index": 2, "end_index": 7, "batch_size": 3, "reverse": True},
    {"length": 3, "shuffle": True, "batch_size": 4},
    {"length": 3, "shuffle": True, "stride": 2, "batch_size": 4},
    {"length": 9},
    {"length": 10},
]


@pytest.mark.parametrize("options", WINDOWS, ids=as_id)
@pytest.mark.parametrize("data", [SERIES, SERIES.tolist()], ids=["array", "list"])
def test_timeseries(options, data):
    def run(module):
        windows = module.TimeseriesGenerator(data, np.arange(10), **options)
        return [windows[i] for i in range(len(windows))], list(windows)

    assert_same(run, keras_sequence, sequence)


def test_fit_on_windows():
    def run(module):
        options = {"length": 3, "batch_size": 2, "shuffle": True}
        package = keras if module is keras_sequence else minikeras
        data = (SERIES / 20).astype("float32")
        return train(package, module.TimeseriesGenerator(data, data[:, :1], **options))

    np.testing.assert_allclose(run(sequence), run(keras_sequence), rtol=1e-5)
