"""The store of HDF5 groups: ours and that of Keras read each other's files."""

import numpy as np
import pytest

from minikeras.legacy.private_names import H5IOStore, standardize_shape

saving_lib = pytest.importorskip("keras.src.saving.saving_lib")


@pytest.mark.parametrize(
    "writer, reader",
    [(H5IOStore, saving_lib.H5IOStore), (saving_lib.H5IOStore, H5IOStore)],
)
def test_files_travel(writer, reader, tmp_path):
    value = np.random.default_rng(0).normal(size=(3, 2))
    store = writer(tmp_path / "a.lora.h5", mode="w")
    store.make("lora")["rank"] = 4
    store.make("lora/7")["kernel"] = value
    store.close()
    store = reader(tmp_path / "a.lora.h5", mode="r")
    assert int(store.get("lora")["rank"][()]) == 4
    np.testing.assert_array_equal(store.get("lora/7")["kernel"], value)
    assert list(store.get("lora/8").keys()) == []
    store.close()


def test_shapes_are_equal():
    from keras.src import backend

    for shape in ([1, None], (np.int64(3),), ()):
        assert standardize_shape(shape) == backend.standardize_shape(shape)
