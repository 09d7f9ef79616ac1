"""Where the weights of networks come from, and what is refused."""

import os
import pathlib
import sys
import types

import numpy as np
import pytest

import minikeras as keras
from minikeras import applications
from minikeras.applications import weights as weight_files
from minikeras.saving.errors import FileError

SMALL = {"alpha": 0.25, "input_shape": (128, 128, 3)}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1)
    return applications.MobileNet(weights=None, **SMALL)


def assert_same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    "name", ["a.weights.h5", "a.keras", "a.h5", "a.safetensors", "a.weights.json"]
)
def test_a_path_in_any_format(network, tmp_path, name):
    path = tmp_path / name
    if name.endswith((".keras", "a.h5")):
        network.save(path)
    else:
        shards = 1e-3 if name.endswith(".json") else None
        network.save_weights(path, max_shard_size=shards)
    assert_same(applications.MobileNet(weights=path, **SMALL), network)
    assert_same(applications.MobileNet(weights=str(path), **SMALL), network)


def test_imagenet_weights_come_from_the_cache(network, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    network.save(tmp_path / "models" / "mobilenet_2_5_128_tf.h5")
    assert_same(applications.MobileNet(**SMALL), network)


def test_no_weights_are_drawn_that_a_file_replaces(network, tmp_path, monkeypatch):
    network.save_weights(tmp_path / "a.weights.h5")
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", None)
    model = applications.MobileNet(weights=tmp_path / "a.weights.h5", **SMALL)
    assert_same(model, network)


def test_another_file_of_that_name_is_not_used(network, tmp_path, monkeypatch):
    """The hash is checked; here the file that is fetched instead is wrong, too."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    (tmp_path / "models" / name).write_bytes(b"other")
    wrong = tmp_path / "vgg16"
    wrong.mkdir()
    (wrong / name).write_bytes(b"wrong")
    monkeypatch.setattr(weight_files, "_FOLDER", f"file://{tmp_path}/")
    with pytest.raises(ValueError, match="6d6bbae143d832006294945121d1f1fc"):
        applications.VGG16(include_top=False)


def test_without_a_network_the_error_says_which_file_goes_where(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(weight_files, "_FOLDER", f"file://{tmp_path}/missing/")
    name = "nasnet_mobile_no_top.h5"
    with pytest.raises(ConnectionError) as caught:
        applications.NASNetMobile(include_top=False)
    for text in (
        "nasnet/NASNet-mobile-no-top.h5",
        str(tmp_path / "models" / name),
        "1ed92395b5b598bdda52abe5c0dbfd63",
    ):
        assert text in str(caught.value)


def test_files_that_do_not_fit_name_the_layers(tmp_path):
    other = applications.MobileNet(weights=None, alpha=0.5, input_shape=(128, 128, 3))
    other.save_weights(tmp_path / "a.weights.h5")
    other.save(tmp_path / "a.h5")
    for name in ("a.weights.h5", "a.h5"):
        with pytest.raises(FileError, match="conv1_bn"):
            applications.MobileNet(weights=tmp_path / name, **SMALL)


def test_the_hub(network, tmp_path, monkeypatch):
    network.save_weights(tmp_path / "model.weights.h5")
    asked = []

    def hf_hub_download(repo_id, filename):
        asked.append((repo_id, filename))
        return str(tmp_path / "model.weights.h5")

    hub = types.SimpleNamespace(hf_hub_download=hf_hub_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for place in ("hf://owner/net", "hf://owner/net/folder/x.weights.h5"):
        assert_same(applications.MobileNet(weights=place, **SMALL), network)
    assert asked == [
        ("owner/net", "model.weights.h5"),
        ("owner/net", "folder/x.weights.h5"),
    ]
    for place in (
        *("hf://", "hf://owner", "hf:///net", "hf://owner/", "hf://../net"),
        *("hf://owner/net/../x", "hf://owner/net//x", "hf://owner/n\0t"),
        pathlib.PurePosixPath("hf://owner/net"),
    ):
        with pytest.raises(ValueError, match="hf://owner/repository"):
            applications.MobileNet(weights=place, **SMALL)


def test_the_hub_needs_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'minikeras-jax\[hub\]'"):
        applications.MobileNet(weights="hf://owner/net", **SMALL)


@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", os.mkdir)])
def test_no_file_in_the_place_of_the_file(tmp_path, monkeypatch, make):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    make(tmp_path / "models" / "mobilenet_2_5_128_tf.h5")
    with pytest.raises(FileExistsError, match="Move it away"):
        applications.MobileNet(**SMALL)


def test_a_damaged_file_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_2_5_128_tf.h5").write_bytes(b"cut off")
    with pytest.raises(FileError, match="Delete the file"):
        applications.MobileNet(**SMALL)
