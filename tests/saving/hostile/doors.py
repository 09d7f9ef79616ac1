"""The doors that a file goes through: each writes it, and gives the call that reads it.

A door is a function of (row, content, folder); the call that it returns is watched.
"""

import io
import json

import numpy as np

import minikeras as keras
from tests.saving.hostile import archives, base

DOORS = {}
# The parts of a file that each kind of row changes, as the doors know them.
_CONFIGS = ("layer", "compile", "wrong", "stored", "model", "text")
_WEIGHTS = ("weights", "cut")


def door(*kinds, config=False):
    """Enter a door for these kinds; `config`: no file, so any ValueError will do."""

    def enter(function):
        DOORS[function.__name__] = function
        function.kinds, function.config = kinds, config
        return function

    return enter


def doors_of(row):
    """The names of the doors for a row."""
    return [name for name, of in DOORS.items() if row.kind in of.kinds]


class Holder(keras.layers.Layer):
    """A layer of a user that reads a config in its constructor, as many do."""

    def __init__(self, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.saving.deserialize_keras_object(inner)

    def get_config(self):
        return {**super().get_config(), "inner": self.inner}

    def call(self, x):
        return x


class Targets:
    """Models that read weights; a failed call leaves them unchanged."""

    def __init__(self):
        layers = keras.layers
        self.plain = keras.Sequential(
            [keras.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")]
        )
        self.holding = keras.Sequential([keras.Input((3,)), Holder(name="holder")])
        self.reset()

    def reset(self):
        """Set all weights to 7."""
        for variable in self.plain.weights:
            variable.assign(np.full(variable.shape, 7.0, "float32"))

    def unchanged(self):
        """Are all weights 7?"""
        return all((w == 7).all() for w in self.plain.get_weights())


targets: Targets


def prepare():
    """Make the models of this process."""
    global targets
    targets = Targets()


def model_config(row, content):
    """The whole config, a dict or a text, of a row."""
    if row.kind == "layer":
        return base.sequential(base.input_layer(3), content, base.dense("b", 2))
    if row.kind == "compile":
        return base.valid_config(compile_config={**base.COMPILE, **content})
    if row.kind == "wrong":
        return base.valid_config(compile_config=content)
    return content


def as_bytes(config):
    """A config as the bytes of a JSON file."""
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    # A lone surrogate cannot be written, except as an escape.
    return text if isinstance(text, bytes) else text.encode("utf8", "surrogatepass")


def keras_parts(row, content):
    """The members of the `.keras` file of a row."""
    if row.kind in _CONFIGS:
        return archives.parts(config=as_bytes(model_config(row, content)))
    data = hdf5(row, content, base.fill_weights)
    return archives.parts(model=data)


def hdf5(row, content, fill):
    """The HDF5 file of a row, laid out as `fill` does it."""
    if row.kind == "cut":
        return content(base.h5_bytes(fill))

    def change(file):
        file["keep"] = base.arrays("a")[0]
        fill(file)
        content(file, base.KERNEL[fill])

    return base.h5_bytes(change)


def zip_bytes(row, content):
    """The `.keras` file of a row."""
    if row.kind == "archive":
        return content
    members = keras_parts(row, content).items()
    return archives.raw_zip(*(archives.member(n, d) for n, d in members))


def written(path, data):
    """Write a file; the path."""
    path.write_bytes(data)
    return path


def editor(path):
    """Open, look and close."""
    opened = keras.saving.KerasFileEditor(path)
    opened.summary()
    return opened


@door(*_CONFIGS, *_WEIGHTS, "archive")
def keras_zip(row, content, folder):
    path = written(folder / "m.keras", zip_bytes(row, content))
    return lambda: keras.models.load_model(path)


@door(*_CONFIGS, *_WEIGHTS, "archive")
def keras_object(row, content, folder):
    data = zip_bytes(row, content)
    return lambda: keras.models.load_model(io.BytesIO(data))


@door(*_CONFIGS, *_WEIGHTS, "folder")
def keras_folder(row, content, folder):
    path = folder / "m"
    path.mkdir()
    parts = archives.parts() if row.kind == "folder" else keras_parts(row, content)
    for name, data in parts.items():
        written(path / name, data)
    for name, change in content.items() if row.kind == "folder" else ():
        (path / name).unlink(missing_ok=True)
        change(path / name)
    return lambda: keras.models.load_model(path)


@door(*_WEIGHTS, "archive")
def keras_weights(row, content, folder):
    path = written(folder / "m.keras", zip_bytes(row, content))
    return lambda: targets.plain.load_weights(path)


@door(*_WEIGHTS, "archive")
def keras_editor(row, content, folder):
    path = written(folder / "m.keras", zip_bytes(row, content))
    return lambda: editor(path)


@door(*_WEIGHTS)
def weights_h5(row, content, folder):
    path = written(folder / "m.weights.h5", hdf5(row, content, base.fill_weights))
    return lambda: targets.plain.load_weights(path)


@door(*_WEIGHTS)
def weights_editor(row, content, folder):
    path = written(folder / "m.weights.h5", hdf5(row, content, base.fill_weights))
    return lambda: editor(path)


@door(*_WEIGHTS, "shards")
def weights_json(row, content, folder):
    """An index, and the shard that it names."""
    weights_map = {"/layers/dense/vars": ["m_00000.weights.h5"]}
    weights_map["/layers/dense_1/vars"] = ["m_00000.weights.h5"]
    index = {"metadata": {"total_size": 104.0}, "weight_map": weights_map}
    if row.kind == "shards":
        index = content
    else:
        data = hdf5(row, content, base.fill_weights)
        written(folder / "m_00000.weights.h5", data)
    path = written(folder / "m.weights.json", as_bytes(index))
    return lambda: targets.plain.load_weights(path)


@door(*_CONFIGS, *_WEIGHTS)
def h5(row, content, folder):
    """A whole model in one HDF5 file, as in Keras 2."""
    if row.kind in _WEIGHTS:
        data = hdf5(row, content, base.fill_legacy)
    else:
        config = model_config(row, content)
        training = None
        if isinstance(config, dict) and "compile_config" in config:
            training = config.pop("compile_config")
            if isinstance(training, dict):
                training = {"optimizer_config": training.pop("optimizer"), **training}
        if not isinstance(config, dict):
            config = as_bytes(config)
            if b"\0" in config:
                return None  # no attribute holds it
        # More than 64 KB do not fit into an attribute of the old layout.
        data = base.h5_bytes(
            lambda file: base.fill_legacy(file, config, training), libver="latest"
        )
    path = written(folder / "m.h5", data)
    return lambda: keras.models.load_model(path)


@door(*_WEIGHTS)
def h5_weights(row, content, folder):
    path = written(folder / "m.h5", hdf5(row, content, base.fill_legacy))
    return lambda: targets.plain.load_weights(path)


@door(*_WEIGHTS)
def h5_weights_by_name(row, content, folder):
    path = written(folder / "m.h5", hdf5(row, content, base.fill_legacy))
    return lambda: targets.plain.load_weights(path, by_name=True)


@door("layer", "compile", "wrong", "model", "text", config=True)
def model_from_json(row, content, folder):
    text = as_bytes(model_config(row, content))
    try:
        text = text.decode()
    except UnicodeDecodeError:
        pass  # json.loads takes bytes, so a caller may pass them
    return lambda: keras.models.model_from_json(text)


@door("layer", "compile", "wrong", "model", config=True)
def deserialize_keras_object(row, content, folder):
    config = model_config(row, content)

    def call():
        found = keras.saving.deserialize_keras_object(config)
        if row.kind == "model" and not isinstance(found, keras.Model):
            raise ValueError("This door gives back objects of any kind.")

    return call


@door("layer", "model", config=True)
def from_config(row, content, folder):
    config = model_config(row, content)
    cls = {"Sequential": keras.Sequential, "Functional": keras.Model}.get(
        str(config["class_name"])
    )
    return cls and (lambda: cls.from_config(config["config"]))


@door("layer", config=True)
def deserialize_layer(row, content, folder):
    return lambda: keras.layers.deserialize(content)


@door("layer", config=True)
def clone_model(row, content, folder):
    targets.holding.layers[0].inner = content
    return lambda: keras.models.clone_model(targets.holding)


@door("path")
def model_path(row, content, folder):
    path = folder / "m.keras"
    content(path)
    return lambda: keras.models.load_model(path)


@door("path")
def h5_path(row, content, folder):
    path = folder / "m.h5"
    content(path)
    return lambda: keras.models.load_model(path)


@door("path")
def weights_path(row, content, folder):
    path = folder / "m.weights.h5"
    content(path)
    return lambda: targets.plain.load_weights(path)


@door("path")
def shards_path(row, content, folder):
    path = folder / "m.weights.json"
    content(path)
    return lambda: targets.plain.load_weights(path)


@door("path")
def editor_path(row, content, folder):
    path = folder / "m.keras"
    content(path)
    return lambda: editor(path)
