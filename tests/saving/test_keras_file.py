"""Files: written whole or not at all, read with care."""

import errno
import io
import json
import os
import pickle
import sys
import threading
import zipfile

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import atomic_files
from minikeras.saving.atomic_files import write_folder

rng = np.random.default_rng(4)
X = rng.normal(size=(8, 3)).astype("float32")
Y = rng.normal(size=(8, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")]
    )
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    return model


@pytest.fixture
def path(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, **changes):
    content = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (content | changes).items():
            if data is not None:
                archive.writestr(name, data)


def with_config(path, change):
    config = json.loads(members(path)["config.json"])
    change(config)
    rewrite(path, **{"config.json": json.dumps(config)})


def with_weights(path, change):
    buffer = io.BytesIO(members(path)["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    rewrite(path, **{"model.weights.h5": buffer.getvalue()})


def refused(path, pattern, error=ValueError, **kwargs):
    with pytest.raises(error, match=pattern):
        keras.models.load_model(path, **kwargs)


def test_round_trip(model, path):
    again = keras.models.load_model(path)
    np.testing.assert_array_equal(
        again.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    for a, b in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.value, b.value)
    bare = keras.models.load_model(path, compile=False)
    assert not bare.compiled


def test_open_files_and_folders(model, tmp_path):
    buffer = io.BytesIO()
    keras.models.save_model(model, buffer)
    buffer.seek(0)
    again = keras.models.load_model(buffer)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    model.save(tmp_path / "folder", zipped=False)
    again = keras.models.load_model(tmp_path / "folder")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_a_failing_save_leaves_the_old_file(model, path, monkeypatch):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(h5py.Group, "create_dataset", fail)
    with pytest.raises(OSError, match="space"):
        model.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["model.keras"]


def test_a_folder_keeps_what_is_not_the_models(model, tmp_path):
    folder = tmp_path / "mine"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "results.csv").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "config.json").write_text("old")
    model.save(folder, zipped=False)
    assert (folder / "data" / "results.csv").read_text() == "mine"
    members = {"config.json", "metadata.json", "model.weights.h5"}
    assert {p.name for p in folder.iterdir()} == members | {"data", "notes.txt"}
    np.testing.assert_array_equal(
        keras.models.load_model(folder).get_weights()[0], model.get_weights()[0]
    )
    with pytest.raises(FileExistsError, match="is a file"):
        model.save(folder / "notes.txt", zipped=False)


def test_a_killed_save_of_a_folder_is_read_and_ended(model, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    model.save(folder, zipped=False)
    other = keras.Sequential([layers.Input((3,)), layers.Dense(1)], name="other")
    with monkeypatch.context() as patch:  # killed after one of three members
        moved = []

        def replace(old, new, own=os.replace):
            if len(moved) == 2:
                raise SystemExit
            moved.append(own(old, new))

        patch.setattr(os, "replace", replace)
        with pytest.raises(SystemExit):
            other.save(folder, zipped=False)
    assert keras.models.load_model(folder).name == "other"
    model.save(folder, zipped=False)
    assert keras.models.load_model(folder).name == model.name
    assert len(list(folder.iterdir())) == 3


def test_an_interrupted_save_of_a_folder_changes_nothing(model, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    model.save(folder, zipped=False)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            model.save(folder, zipped=False)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_overwrite_asks(model, path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr("builtins.input", lambda _: "n")
    model.save(path, overwrite=False)
    assert path.read_bytes() == before


def test_paths_that_are_refused(model, tmp_path):
    for name in ("model.h6", "model", "model.zip"):
        with pytest.raises(ValueError, match=r"\.keras"):
            model.save(tmp_path / name)
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        model.save_weights(tmp_path / "weights.txt")
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        model.load_weights(tmp_path / "weights.txt")
    with pytest.raises(FileNotFoundError, match="folder"):
        model.save(tmp_path / "nowhere" / "model.keras")
    refused(tmp_path / "absent.keras", "not found|File not found")
    with pytest.raises(ValueError, match="not found"):
        model.load_weights(tmp_path / "absent.weights.h5")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "cut off|damaged")


def test_foreign_and_renamed_members(path):
    content = members(path)
    rewrite(path, **{"config.json": None, "konfig.json": content["config.json"]})
    refused(path, "config.json")
    rewrite(path, **{"config.json": content["config.json"], "model.weights.h5": None})
    refused(path, "model.weights.h5")
    rewrite(path, **{"model.weights.h5": b"not HDF5"})
    refused(path, "damaged")
    rewrite(path, **{"model.weights.h5": content["model.weights.h5"][:600]})
    refused(path, "damaged")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil"])
def test_members_that_leave_the_archive(path, name):
    rewrite(path, **{name: b"x"})
    refused(path, "evil.*Refused")


def test_unknown_classes_are_suggested(path):
    def change(config):
        config["config"]["layers"][1]["class_name"] = "Dennse"

    with_config(path, change)
    refused(path, "Dennse.*Did you mean.*Dense")


def test_lambda_layers(tmp_path):
    model = keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x * 3)])
    path = tmp_path / "lambda.keras"
    model.save(path)
    refused(path, "safe")
    refused(path, "safe", safe_mode=None)
    again = keras.models.load_model(path, safe_mode=False)
    np.testing.assert_allclose(again.predict(X, verbose=0), 3 * X, rtol=1e-6)


def test_links_out_of_the_weights(path, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["0"] = np.ones((3, 4), "float32")
    where = "layers/dense/vars/0"

    def external_link(file):
        del file[where]
        file[where] = h5py.ExternalLink(str(secret), "0")

    def soft_link(file):
        del file[where]
        file[where] = h5py.SoftLink("/layers/dense_1/vars/0")

    def virtual(file):
        del file[where]
        layout = h5py.VirtualLayout((3, 4), "float32")
        layout[:] = h5py.VirtualSource(str(secret), "0", shape=(3, 4))
        file.create_virtual_dataset(where, layout)

    def external_data(file):
        del file[where]
        file.create_dataset(
            *(where, (3, 4), "float32"), external=[(str(secret), 0, 48)]
        )

    def bomb(file):
        del file[where]
        file.create_dataset(where, (1 << 40,), "float32", chunks=(1 << 20,))

    content = path.read_bytes()
    for change in (external_link, soft_link, virtual, external_data, bomb):
        path.write_bytes(content)
        with_weights(path, change)
        refused(path, "layers/dense/vars/0: Refused")


def test_weights_that_do_not_fit_are_named(model, tmp_path):
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    other = keras.Sequential([layers.Input((3,)), layers.Dense(5), layers.Dense(2)])
    before = other.get_weights()
    with pytest.raises(ValueError) as error:
        other.load_weights(path)
    for variable in other.weights[:1] + other.weights[2:3]:
        assert variable.path in str(error.value)
    for a, b in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    half = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(1)])
    with pytest.warns(UserWarning, match=half.weights[2].path):
        half.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(half.weights[0].value, model.weights[0].value)
    fewer = keras.Sequential([layers.Input((3,)), layers.Dense(4)])
    with pytest.warns(UserWarning, match="no place for.*layers/dense_1/vars"):
        fewer.load_weights(path)
    more = keras.Sequential([layers.Input((3,)), *(layers.Dense(n) for n in (4, 2, 2))])
    with pytest.raises(ValueError, match="dense"):
        more.load_weights(path)


def test_weights_out_of_a_whole_model(model, path):
    again = keras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)])
    again.load_weights(path)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bfloat16_weights(tmp_path):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2, dtype="bfloat16")])
    path = tmp_path / "half.keras"
    model.save(path)
    again = keras.models.load_model(path)
    assert again.weights[0].dtype == "bfloat16"
    np.testing.assert_array_equal(
        *(np.asarray(m.weights[0].value, "float32") for m in (model, again))
    )


def test_links_and_modes_stay(model, tmp_path):
    real, link = tmp_path / "real.keras", tmp_path / "latest.keras"
    model.save(real)
    real.chmod(0o664)
    link.symlink_to(real)
    other = keras.Sequential([layers.Input((3,)), layers.Dense(1)], name="other")
    other.save(link)
    assert link.is_symlink() and keras.models.load_model(real).name == "other"
    assert real.stat().st_mode & 0o777 == 0o664
    new = tmp_path / "new.weights.h5"
    new.symlink_to(tmp_path / "there.weights.h5")
    other.save_weights(new)
    assert new.is_symlink() and (tmp_path / "there.weights.h5").exists()


def test_folders_are_made_and_saved_by_many_at_once(model, tmp_path):
    folder, errors = tmp_path / "out" / "run" / "model", []

    def save():
        try:
            for _ in range(5):
                model.save(folder, zipped=False)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=save) for _ in range(3)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not errors
    assert {p.name for p in folder.iterdir()} == {
        *("config.json", "metadata.json", "model.weights.h5")
    }
    keras.models.load_model(folder)


def _one(file):
    file.write(b"1")


def test_members_are_moved_by_many_at_once(tmp_path):
    """A save that finds the members of another decided, and then gone."""
    folder, errors = tmp_path / "model", []

    def save():
        try:
            for _ in range(60):
                write_folder(folder, {"a": _one, "b": _one})
        except Exception as error:
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=save) for _ in range(6)]
        [t.start() for t in threads], [t.join() for t in threads]
    finally:
        sys.setswitchinterval(before)
    assert not errors
    assert {p.name for p in folder.iterdir()} == {"a", "b"}


@pytest.mark.parametrize("build", [lambda: keras.Sequential([layers.Dense(2)]), None])
def test_weights_of_a_model_that_is_not_built(build, model, tmp_path):
    class Mine(keras.Model):
        def call(self, x):
            return x

    file = tmp_path / "a.weights.h5"
    model.save_weights(file)
    before = file.read_bytes()
    unbuilt = build() if build else Mine()
    for call in (unbuilt.save_weights, unbuilt.load_weights):
        with pytest.raises(ValueError, match="not yet been built"):
            call(file)
    assert file.read_bytes() == before


CONFIGS = ["null", "3", "[]", "{}", "{", "[" * 100_000, '{"class_name": "Sequential"}']


@pytest.mark.parametrize("config", CONFIGS, ids=lambda text: text[:20])
def test_configs_that_describe_no_model(path, config):
    rewrite(path, **{"config.json": config})
    refused(path, "damaged|holds no model")


def test_a_file_of_a_metric(path):
    metric = {"module": "keras.metrics", "class_name": "Mean", "config": {}}
    rewrite(path, **{"config.json": json.dumps(metric | {"registered_name": None})})
    refused(path, "holds no model")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_only_regular_files_are_replaced(model, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo.keras").symlink_to("fifo")
    (tmp_path / "loop.keras").symlink_to("loop.keras")
    for name in ("fifo.keras", "loop.keras"):
        with pytest.raises(OSError, match="no regular file"):
            model.save(tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fifo",
        "fifo.keras",
        "loop.keras",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_names_of_temporary_files_may_be_anything(model, tmp_path):
    os.mkfifo(tmp_path / ".minikeras-begun-1")
    (tmp_path / ".minikeras-begun-2").symlink_to(tmp_path / ".minikeras-begun-1")
    model.save(tmp_path / "a.keras")
    assert keras.models.load_model(tmp_path / "a.keras").name == model.name
    with pytest.raises(FileNotFoundError, match="no folder"):
        path = tmp_path / "gone" / "a.weights.json"
        model.save_weights(path, max_shard_size=1)


def test_a_file_object_that_takes_parts(model):
    class Pipe(io.RawIOBase):
        taken = b""

        def writable(self):
            return True

        def write(self, data):
            self.taken += bytes(data)[:1000]
            return min(len(data), 1000)

    pipe = Pipe()
    model.save(pipe)
    again = keras.models.load_model(io.BytesIO(pipe.taken))
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_missing_files_are_of_the_type_that_keras_raises(model, tmp_path):
    for name in ("a.h5", "a.keras", "a.weights.h5", "a.weights.json", "a.safetensors"):
        for error in (FileNotFoundError, keras.saving.FileError):
            with pytest.raises(error, match=f"{name}: File not found") as caught:
                model.load_weights(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value) and again.errno == errno.ENOENT
    with pytest.raises(FileNotFoundError):
        keras.models.load_model(tmp_path / "a.h5")


@pytest.mark.parametrize("what", [b"a.keras", 7, None, ["a.keras"]])
def test_what_is_no_path(model, what):
    for call in (
        model.save,
        model.save_weights,
        model.load_weights,
        keras.models.load_model,
    ):
        with pytest.raises(ValueError, match="expected a path, a str or pathlib.Path"):
            call(what)


def test_odd_names(model, tmp_path):
    with pytest.raises(ValueError, match="the path of a folder"):
        model.save(f"{tmp_path}/a.keras/")
    assert not list(tmp_path.iterdir())
    for name in (".keras", ".h5"):  # all suffix
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    with pytest.raises(keras.saving.FileError, match="name too long"):
        keras.models.load_model("a" * 300 + ".keras")
    name = str(tmp_path / "x\udcff.weights.json")  # a byte that is no UTF-8
    model.save_weights(name, max_shard_size=1)
    model.load_weights(name)


def test_a_write_protected_file_stays(model, path, monkeypatch):
    before = path.read_bytes()
    # The tests may run as root, who may write everything.
    monkeypatch.setattr(os, "access", lambda name, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match="write-protected"):
        model.save(path)
    assert path.read_bytes() == before


def test_a_folder_that_takes_no_new_files_is_an_error_of_the_path(
    model, path, monkeypatch
):
    def refuse(name, *args):
        raise PermissionError(errno.EACCES, "Permission denied", str(name))

    monkeypatch.setattr(atomic_files, "open", refuse, raising=False)
    with pytest.raises(PermissionError, match=r"model\.keras.*beside it"):
        model.save(path)


def test_a_deleted_working_folder(model, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError, match=r"a\.keras"):
        model.save("a.keras")


def test_saving_before_the_weights_exist_warns(tmp_path):
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([layers.Dense(2)]).save(tmp_path / "a.keras")


def test_without_the_state_of_the_optimizer(model, tmp_path):
    model.save(tmp_path / "a.keras", include_optimizer=False)
    again = keras.models.load_model(tmp_path / "a.keras")
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert int(again.optimizer.iterations) == 0 < int(model.optimizer.iterations)


class Target:
    """A file object whose `write` returns what it is told to."""

    def __init__(self, returns):
        self.returns, self.data = returns, b""

    def write(self, chunk):
        self.data += bytes(chunk)
        return self.returns


def test_file_objects_that_say_what_they_took(model):
    for count in (None, True, "all"):
        target = Target(count)
        model.save(target)
        again = keras.models.load_model(io.BytesIO(target.data))
        np.testing.assert_array_equal(again(X), model(X))
    for count in (0, -1, 1 << 40):
        with pytest.raises(OSError, match=f"returned {count} for"):
            model.save(Target(count))


def test_the_size_of_a_shard_is_a_number(model, tmp_path):
    with pytest.raises(ValueError, match="a number of GiB, such as 0.5, got '1GB'"):
        model.save_weights(tmp_path / "a.weights.json", max_shard_size="1GB")


def test_a_block_of_the_users_before_hdf5(model, tmp_path):
    model.save(tmp_path / "a.h5")
    with (
        h5py.File(tmp_path / "a.h5") as old,
        h5py.File(tmp_path / "b.h5", "w", userblock_size=512) as new,
    ):
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "b.h5")(X), model(X)
    )


def test_a_call_that_decides_by_a_small_weight(tmp_path):
    class Repeats(keras.layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight((), "ones", "int32", trainable=False)

        def call(self, x):
            return keras.ops.concatenate([x] * int(self.count), -1)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Repeats()(inputs))
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(
        tmp_path / "a.keras", custom_objects={"Repeats": Repeats}
    )
    assert loaded.output_shape == (None, 3)
