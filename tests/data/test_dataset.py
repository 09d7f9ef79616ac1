"""`minikeras.data.Dataset`: the verbs of tf.data."""

import gc
import pickle
import sys
import textwrap
import threading

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.data import AUTOTUNE, Dataset

pytest.importorskip("grain")

FIVE = Dataset.from_tensor_slices(np.arange(5))


def lists(data):
    return [jax.tree_util.tree_map(lambda x: x.tolist(), element) for element in data]


def streamed(data):
    """The same elements without random access."""
    return data.filter(lambda *x: True)


BOTH = pytest.mark.parametrize("kind", [lambda data: data, streamed])


@BOTH
@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (lambda d: d.map(lambda x: x * x), [0, 1, 4, 9, 16]),
        (
            lambda d: d.map(lambda x: x + 1, num_parallel_calls=AUTOTUNE),
            [1, 2, 3, 4, 5],
        ),
        (lambda d: d.batch(2), [[0, 1], [2, 3], [4]]),
        (lambda d: d.batch(2, drop_remainder=True), [[0, 1], [2, 3]]),
        (lambda d: d.batch(2).unbatch(), [0, 1, 2, 3, 4]),
        (lambda d: d.batch(2).rebatch(3), [[0, 1, 2], [3, 4]]),
        (lambda d: d.filter(lambda x: x % 2 == 0), [0, 2, 4]),
        (lambda d: d.enumerate(start=7).take(2), [(7, 0), (8, 1)]),
        (lambda d: d.take(2), [0, 1]),
        (lambda d: d.take(-1), [0, 1, 2, 3, 4]),
        (lambda d: d.take(0), []),
        (lambda d: d.take(99), [0, 1, 2, 3, 4]),
        (lambda d: d.skip(3), [3, 4]),
        (lambda d: d.skip(9), []),
        (lambda d: d.skip(-1), []),
        (lambda d: d.take(-2), [0, 1, 2, 3, 4]),
        (lambda d: d.shard(2, 1), [1, 3]),
        (lambda d: d.repeat(2).skip(4), [4, 0, 1, 2, 3, 4]),
        (lambda d: d.repeat().take(7), [0, 1, 2, 3, 4, 0, 1]),
        (lambda d: d.repeat(0), []),
        (lambda d: d.concatenate(d.take(1)), [0, 1, 2, 3, 4, 0]),
        (lambda d: d.prefetch(AUTOTUNE), [0, 1, 2, 3, 4]),
        (lambda d: d.prefetch(0), [0, 1, 2, 3, 4]),
        (lambda d: d.cache().cache(), [0, 1, 2, 3, 4]),
        (lambda d: Dataset.zip((d, d.skip(1))), [(0, 1), (1, 2), (2, 3), (3, 4)]),
        (lambda d: Dataset.zip(d.repeat(), d.take(1)), [(0, 0)]),
        (
            lambda d: d.window(3, 1, drop_remainder=True).flat_map(
                lambda w: w.batch(3)
            ),
            [[0, 1, 2], [1, 2, 3], [2, 3, 4]],
        ),
        (
            lambda d: d.window(2, 3, 2).flat_map(lambda w: w.batch(2)),
            [[0, 2], [3]],
        ),
        (
            lambda d: d.take(2).interleave(
                lambda x: Dataset.range(2).map(lambda y: y + 10 * x), cycle_length=2
            ),
            [0, 10, 1, 11],
        ),
    ],
)
def test_verbs(kind, verb, expected):
    data = verb(kind(FIVE))
    assert lists(data) == expected
    assert lists(data) == expected  # a second pass
    if (count := int(data.cardinality())) >= 0:
        assert count == len(expected) == len(data)


@BOTH
def test_shuffle(kind):
    data = kind(Dataset.range(40)).shuffle(40, seed=3)
    first, second = lists(data), lists(data)
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second != list(range(40))
    again = lists(kind(Dataset.range(40)).shuffle(40, seed=3))
    assert again == first
    fixed = kind(Dataset.range(40)).shuffle(9, 3, reshuffle_each_iteration=False)
    assert lists(fixed) == lists(fixed)
    twice = lists(data.repeat(2))
    assert sorted(twice[:40]) == list(range(40)) and twice[:40] != twice[40:]
    cached = data.cache()
    assert lists(cached) == lists(cached)


def test_a_seed_of_numpy_orders_the_data_and_does_not_move():
    orders = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        state = np.random.get_state()[1].tobytes()
        orders.append(lists(Dataset.range(30).shuffle(30)))
        assert np.random.get_state()[1].tobytes() == state
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dataset.range(20).shuffle(20, 1).map(lambda x: x + 1, 2).batch(3),
        lambda: Dataset.range(20).shuffle(20, 1).batch(3).prefetch(2),
        lambda: streamed(Dataset.range(20)).shuffle(5, 1).batch(3).prefetch(2),
        lambda: Dataset.from_generator(lambda: iter(range(9))).repeat(2).batch(2),
        lambda: Dataset.range(6).batch(2).unbatch().enumerate(),
    ],
)
def test_a_resume_goes_on_in_the_middle(make):
    data = make()
    next(iter(data))  # the second pass is another one
    iterator = iter(data)
    for _ in range(2):
        next(iterator)
    state = pickle.loads(pickle.dumps(iterator.get_state()))
    rest = lists(iterator)
    other = iter(make())
    next(other)
    other.set_state(state)
    assert rest and lists(other) == rest


def test_elements_are_arrays_that_have_numpy():
    data = Dataset.from_tensor_slices(({"a": [[1.0], [2.0]]}, ["x", "yy"]))
    ((features, text), *_) = data.batch(2)
    assert features["a"].dtype == np.float32 and features["a"].numpy().ndim == 2
    assert text[1].numpy() == b"yy" and text.numpy().tolist() == [b"x", b"yy"]
    assert text[1].item() == "yy"
    ((numbers,),) = [list(Dataset.range(3).batch(3))]
    assert [int(n.numpy()) for n in numbers] == [0, 1, 2]
    assert ["a", "b"][numbers[1]] == "b"
    assert next(Dataset.from_tensor_slices(["é"]).as_numpy_iterator()) == "é".encode()
    spec = data.batch(2).element_spec
    assert spec[0]["a"].shape == (2, 1) and spec[1].dtype == "string"


def test_tables_tensors_and_generators():
    import pandas as pd

    frame = pd.DataFrame({"n": [1, 2], "s": ["p", "q"]})
    assert lists(Dataset.from_tensor_slices(dict(frame)))[1] == {"n": 2, "s": "q"}
    assert lists(Dataset.from_tensors((1, [2, 3]))) == [(1, [2, 3])]

    def pairs(n):
        for i in range(n):
            yield [i] * (i + 1), i / 2

    types = ("int64", "float32")
    data = Dataset.from_generator(pairs, output_types=types, args=(3,))
    (x, y) = next(iter(data.padded_batch(3, padding_values=(-1, None))))
    assert x.tolist() == [[0, -1, -1], [1, 1, -1], [2, 2, 2]] and x.dtype == "int64"
    assert y.tolist() == [0.0, 0.5, 1.0] and y.dtype == "float32"
    wide = next(iter(data.padded_batch(3, ([5], []))))[0]
    assert wide.shape == (3, 5)
    with pytest.raises(ValueError, match="does not fit"):
        next(iter(data.padded_batch(3, ([2], []))))


def test_fit_evaluate_predict_and_class_weight():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3)).astype("float32")
    y = (x[:, :1] > 0).astype("float32")
    data = Dataset.from_tensor_slices((x, y)).shuffle(50, 1).batch(16).prefetch(2)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    options = {"validation_data": data, "class_weight": {0: 1.0, 1: 2.0}}
    history = model.fit(data, epochs=3, verbose=0, **options).history
    assert history["loss"][2] < history["loss"][0] and len(history["val_loss"]) == 3
    assert model.predict(data, verbose=0).shape == (50, 1)
    model.fit(data.repeat(), epochs=2, steps_per_epoch=3, verbose=0)
    with pytest.raises(ValueError, match="`y` should not be passed"):
        model.fit(data, y)
    assert not [t for t in threading.enumerate() if "grain" in t.name]


def test_layers_within_draw_the_same_whatever_the_threads():
    def augmented(threads):
        drop = keras.layers.Dropout(0.5, seed=1)
        data = Dataset.from_tensor_slices(np.ones((12, 6), "float32"))
        return data.map(lambda x: drop(x, training=True), num_parallel_calls=threads)

    plain, parallel = augmented(None), augmented(4)
    first = lists(plain)
    assert first == lists(parallel)
    assert len({tuple(row) for row in first}) > 6
    assert lists(plain) != first  # each pass draws anew
    assert type(next(plain.batches())) is np.ndarray


def test_one_layer_in_two_maps_draws_twice():
    drop = keras.layers.Dropout(0.5, seed=1)
    data = Dataset.from_tensor_slices(np.ones((1, 200), "float32"))
    once = data.map(lambda x: drop(x, training=True))
    twice = once.map(lambda x: drop(x, training=True))
    shares = [float((next(iter(d)) > 0).mean()) for d in (once, twice)]
    assert shares[1] < 0.7 * shares[0]


def test_processes_load_no_jax(tmp_path, monkeypatch):
    code = """
        import os, sys
        def row(x):
            return x * 2, os.getpid(), "jax" in sys.modules
    """
    (tmp_path / "own_rows.py").write_text(textwrap.dedent(code))
    monkeypatch.syspath_prepend(tmp_path)
    import own_rows

    calls = {"num_parallel_calls": 2, "use_multiprocessing": True}
    data = Dataset.range(6).map(own_rows.row, **calls)
    doubled, processes, with_jax = zip(*lists(data), strict=True)
    assert doubled == (0, 2, 4, 6, 8, 10)
    assert not any(with_jax) and len({*processes}) <= 2
    assert not {*processes} & {__import__("os").getpid()}
    del data
    gc.collect()


def test_the_cache_makes_each_element_once():
    for kind in (lambda d: d, streamed):
        made = []
        data = kind(FIVE).map(lambda x, made=made: (made.append(1), x)[1]).cache()
        assert lists(data) == lists(data) == [0, 1, 2, 3, 4]
        assert len(made) == 5


def test_writing_into_elements_changes_nothing_else():
    """As with tensors, `x /= 255` in a function has no effect outside of it."""
    pixels = np.full((4, 2), 255.0, "float32")

    def halved(x):
        x /= 2
        return x

    for data in (
        Dataset.from_tensor_slices(pixels),
        Dataset.from_tensor_slices(pixels).cache(),
        streamed(Dataset.from_tensor_slices(pixels)).cache(),
        Dataset.from_tensors(pixels),
    ):
        changed = data.map(halved)
        assert [float(next(iter(changed)).max()) for _ in range(3)] == [127.5] * 3
        for row in data:
            row += 1
    assert (pixels == 255).all()
    buffer = np.zeros(1)

    def refilled():
        for i in range(3):
            buffer[:] = i
            yield buffer

    ((batch,),) = [list(Dataset.from_generator(refilled).batch(3))]
    assert batch.ravel().tolist() == [0, 1, 2]


def test_large_ints_stay():
    big = 2**40 + 5
    assert lists(Dataset.from_tensor_slices([big, 7])) == [big, 7]
    assert lists(Dataset.range(1).map(lambda x: big)) == [big]
    data = Dataset.from_generator(lambda: iter([big]), output_types="int64")
    assert lists(data) == [big]


def test_shuffles_without_seeds_differ_and_repeat_with_the_programs_seed():
    def two():
        a, b = Dataset.range(30).shuffle(30), Dataset.range(30).shuffle(30)
        return lists(a), lists(b)

    keras.utils.set_random_seed(3)
    first = two()
    keras.utils.set_random_seed(3)
    assert first == two() and first[0] != first[1]


def test_repetitions_shuffle_as_told_and_count_anew():
    once = {"seed": 1, "reshuffle_each_iteration": False}
    found = lists(Dataset.range(9).shuffle(9, **once).repeat(2))
    assert found[:9] == found[9:]
    pairs = lists(Dataset.range(2).enumerate().repeat(2))
    assert pairs == [(0, 0), (1, 1), (0, 0), (1, 1)]
    nothing = streamed(FIVE).filter(lambda x: False).repeat()
    assert lists(nothing) == []


def test_windows_are_data_sets():
    rows = [lists(w) for w in FIVE.window(3, shift=2)]
    assert rows == [[0, 1, 2], [2, 3, 4], [4]]
    pairs = Dataset.zip((FIVE, FIVE.map(lambda x: -x)))
    windows = pairs.window(2, drop_remainder=True)
    joined = windows.flat_map(lambda a, b: Dataset.zip((a.batch(2), b.batch(2))))
    assert lists(joined) == [([0, 1], [0, -1]), ([2, 3], [-2, -3])]
    named = Dataset.from_tensor_slices({"a": [1, 2]}).window(2)
    assert lists(named.flat_map(lambda d: d["a"].batch(2))) == [[1, 2]]


def test_structures_of_zip_reduce_and_map():
    zipped = Dataset.zip({"a": FIVE, "b": (FIVE, FIVE)})
    assert lists(zipped.take(1)) == [{"a": 0, "b": (0, 0)}]
    total, count = FIVE.reduce((0, 0.0), lambda s, x: (s[0] + x, s[1] + 1))
    assert int(total) == 10 and float(count) == 5.0
    assert lists(FIVE.take(1).map(lambda x: [x, [x, x]])) == [(0, [0, 0])]
    mixed = Dataset.from_generator(lambda: iter([[1, 2], [1.5]])).padded_batch(2)
    assert lists(mixed) == [[[1.0, 2.0], [1.5, 0.0]]]


def test_random_layers_over_a_stream_go_on_where_they_stopped():
    def augmented():
        drop = keras.layers.Dropout(0.5, seed=1)
        rows = streamed(Dataset.from_tensor_slices(np.ones((8, 6), "float32")))
        return rows.map(lambda x: drop(x, training=True))

    whole = lists(augmented())
    iterator = iter(augmented())
    next(iterator)
    state = iterator.get_state()
    other = iter(augmented())
    other.set_state(state)
    assert lists(other) == whole[1:]


def test_other_verbs(tmp_path):
    assert int(FIVE.reduce(0, lambda state, x: state + x)) == 10
    assert int(FIVE.take(1).get_single_element()) == 0
    assert lists(FIVE.apply(lambda d: d.take(1))) == [0]
    assert lists(FIVE.with_options(None).take(1)) == [0]
    assert bool(FIVE) and repr(FIVE.repeat()) == "<Dataset, elements: endless>"
    for name in "ba":
        (tmp_path / f"{name}.txt").write_text(name)
    found = lists(Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False))
    assert [path[-5:] for path in found] == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: Dataset.from_tensor_slices(([1, 2], [3])), ValueError, "equally many"),
        (lambda: Dataset.from_tensor_slices(3), ValueError, "equally many"),
        (lambda: Dataset.from_generator(iter([1])), TypeError, "returns an iterable"),
        (lambda: FIVE.batch(0), ValueError, "batch_size"),
        (lambda: FIVE.shuffle(0), ValueError, "buffer_size"),
        (lambda: FIVE.shard(2, 2), ValueError, "index in 0..1"),
        (lambda: FIVE.cache("file"), ValueError, "no file name"),
        (lambda: FIVE.window(0), ValueError, "size"),
        (lambda: FIVE.window(2, shift=0), ValueError, "shift"),
        (lambda: FIVE.take(2.5), TypeError, "float"),
        (lambda: Dataset.zip(3), TypeError, "tuples or dicts of data sets"),
        (lambda: list(FIVE.map(lambda x: None)), TypeError, "lack a `return`"),
        (lambda: list(FIVE.map(lambda x: next(iter(())))), RuntimeError, "StopIter"),
        (lambda: FIVE.take(0).element_spec, ValueError, "no elements"),
        (lambda: len(FIVE.repeat()), TypeError, "endless"),
        (lambda: len(streamed(FIVE)), TypeError, "unknown"),
        (lambda: FIVE.get_single_element(), ValueError, "more than one"),
        (lambda: Dataset.list_files("no/such/*"), ValueError, "no file matches"),
        (
            lambda: list(FIVE.map(lambda x: np.ones(x)).batch(2)),
            ValueError,
            "fill them up by padded_batch",
        ),
    ],
)
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_an_error_of_the_function_names_the_element():
    def fail(x):
        if x == 3:
            raise RuntimeError("broken")
        return x

    with pytest.raises(RuntimeError, match="broken") as caught:
        list(FIVE.map(fail, num_parallel_calls=2))
    assert "element 3" in str(caught.value.__notes__)


def test_without_grain(monkeypatch):
    from minikeras.data.dataset import base

    monkeypatch.setitem(sys.modules, "minikeras.data.dataset.stages", None)
    base.stages.cache_clear()
    with pytest.raises(ImportError, match="pip install grain"):
        Dataset.range(3)
    base.stages.cache_clear()
