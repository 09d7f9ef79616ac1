"""Weights in several files."""

import json
import threading

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import atomic_files

KIB = 1 / (1 << 20)  # in GiB


def new():
    return keras.Sequential([keras.Input((20,)), *(layers.Dense(20) for _ in range(4))])


def shards(folder):
    return sorted(file.name for file in folder.iterdir() if file.suffix == ".h5")


def same(a, b):
    pairs = zip(a.get_weights(), b.get_weights(), strict=True)
    return all((x == y).all() for x, y in pairs)


@pytest.mark.parametrize("sizes", [(4, 2, 100), (100, 2, 4)])
def test_round_trips_over_each_other(sizes, tmp_path):
    path = tmp_path / "x.weights.json"
    for size in sizes:
        model, again = new(), new()
        model.save_weights(path, max_shard_size=size * KIB)
        again.load_weights(path)
        assert same(model, again)
        named = json.loads(path.read_text())["weight_map"].values()
        assert {n for names in named for n in names} == set(shards(tmp_path))


def test_a_save_that_fails_leaves_the_old_shards(tmp_path, monkeypatch):
    path, model = tmp_path / "x.weights.json", new()
    model.save_weights(path, max_shard_size=2 * KIB)
    replace, calls = atomic_files.replace_file, []

    def fail_at_the_third(target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError("disk full")
        return replace(target)

    monkeypatch.setattr(atomic_files, "replace_file", fail_at_the_third)
    with pytest.raises(OSError, match="disk full"):
        new().save_weights(path, max_shard_size=2 * KIB)
    again = new()
    again.load_weights(path)
    assert same(model, again)


def test_wrong_sizes_and_tables(tmp_path):
    path, model = tmp_path / "x.weights.json", new()
    with pytest.raises(ValueError, match="exceeds the maximum shard size"):
        model.save_weights(path, max_shard_size=KIB)
    with pytest.raises(ValueError, match="filename must end in"):
        model.save_weights(path)
    with pytest.warns(UserWarning, match="x.weights.json"):
        model.save_weights(tmp_path / "x.weights.h5", max_shard_size=1)
    table = json.loads(path.read_text())
    group = next(iter(table["weight_map"]))
    for name, fault in (("../a.h5", "beside"), (3, "beside"), ("gone.h5", "not found")):
        table["weight_map"][group] = [name]
        path.write_text(json.dumps(table))
        with pytest.raises(keras.saving.FileError, match=fault):
            new().load_weights(path)
    path.write_text("[]")
    with pytest.raises(keras.saving.FileError, match="no table"):
        new().load_weights(path)


def test_a_weight_of_one_layer_in_two_shards(tmp_path):
    path = tmp_path / "x.weights.json"
    model = keras.Sequential([keras.Input((20,)), layers.Dense(20), layers.Dense(20)])
    model.save_weights(path, max_shard_size=1.6 * KIB)
    named = json.loads(path.read_text())["weight_map"]
    assert any(len(names) > 1 for names in named.values())
    before = model.get_weights()
    model.set_weights([w + 1 for w in before])
    model.load_weights(path)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_table_that_names_other_files_deletes_none(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "x.weights.json").write_text('{"weight_map": {"a": ["mine.txt"]}}')
    new().save_weights(tmp_path / "x.weights.json", max_shard_size=1)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_shards_of_several_threads_stay_together(tmp_path):
    path = tmp_path / "x.weights.json"

    def constant(value):
        model = new()
        model.set_weights([np.full_like(w, value) for w in model.get_weights()])
        return model

    constant(0).save_weights(path, max_shard_size=2 * KIB)
    errors, mixed = [], []

    def save(value):
        model = constant(value)
        for _ in range(10):
            model.save_weights(path, max_shard_size=2 * KIB)

    def load():
        model = new()
        for _ in range(20):
            try:
                model.load_weights(path)
            except keras.saving.FileError as error:
                errors.append(error)
            mixed.append(len({float(w.flat[0]) for w in model.get_weights()}))

    threads = [threading.Thread(target=save, args=(i,)) for i in (1, 2)]
    threads.append(threading.Thread(target=load))
    [t.start() for t in threads], [t.join() for t in threads]
    assert not errors and {*mixed} == {1}


def test_skipped_objects_are_not_in_the_shards(tmp_path):
    path, model = tmp_path / "x.weights.json", new()
    skip = model.layers[:1]
    keras.saving.save_weights(model, path, max_shard_size=2 * KIB, objects_to_skip=skip)
    assert "/layers/dense/vars" not in json.loads(path.read_text())["weight_map"]
    with pytest.raises(ValueError, match="objects_to_skip"):
        keras.saving.save_weights(
            model, tmp_path / "x.safetensors", objects_to_skip=skip
        )
