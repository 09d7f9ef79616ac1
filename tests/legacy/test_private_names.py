"""Private names of Keras that packages import, and the store of HDF5 groups."""

import importlib
import io
import subprocess
import sys

import h5py
import numpy as np
import pytest

from minikeras import Model, ops
from minikeras.layers import Dense, Layer
from minikeras.legacy import private_names
from minikeras.legacy.private_names import H5IOStore
from minikeras.saving import FileError

RUN = """
import minikeras
minikeras.install_as_keras()
{}
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_name_can_be_imported_in_all_ways():
    run(
        "from minikeras.legacy.private_names import table\n"
        "import importlib\n"
        "for path in table():\n"
        "    module, _, name = path.rpartition('.')\n"
        "    found = importlib.import_module(f'keras.src.{module}')\n"
        "    assert callable(getattr(found, name)), path\n"
        "import keras\n"
        "assert keras.src.saving.saving_lib.load_model is keras.saving.load_model\n"
        "from keras.src.losses.losses import LossFunctionWrapper\n"
        "from keras import distribution\n"
        "assert distribution.distribution() is None\n"
        "assert keras.utils.legacy.deserialize_keras_object"
    )


def test_a_name_that_is_not_there_says_why():
    out = run(
        "from keras.src.trainers import data_adapters\n"
        "import keras\n"
        "from keras import distribution\n"
        "for holder in (data_adapters, distribution):\n"
        "    try:\n"
        "        holder.ModelParallel\n"
        "    except AttributeError as error:\n"
        "        print(error)"
    )
    private, planned = out.strip().splitlines()
    assert "private" in private and "public name" in private
    assert "planned" in planned


def test_the_table_names_the_package_of_each_row():
    for path, (ours, package) in private_names.table().items():
        assert package in ("keras-hub", "keras-rs", "scikeras"), path
        assert ours.startswith(".") or importlib.import_module(
            f"minikeras.{ours.rpartition('.')[0]}"
        )


@pytest.mark.parametrize(
    "name, served",
    [
        ("shap.explainers._gradient", True),
        ("wandb.integration.keras.callbacks.metrics_logger", True),
        ("shap.explainers._gradients", False),
        ("shap.explainers._deep.deep_tf", False),
        ("__main__", False),
    ],
)
def test_which_packages_get_the_stand_in(name, served):
    assert private_names.uses_stand_in(name) is served


def test_shapes_become_tuples():
    assert private_names.standardize_shape([np.int64(2), None]) == (2, None)


def test_untracked_attributes_hold_no_weights():
    class Holder(Layer):
        def __init__(self):
            super().__init__()
            self.seen = Dense(2)
            self.hide()

        @private_names.no_automatic_dependency_tracking
        def hide(self):
            self.hidden = {"a": Dense(3)}
            return self.hidden

    holder = Holder()
    for layer in (holder.seen, holder.hidden["a"]):
        layer.build((None, 4))
    assert [v.shape for v in holder.weights] == [(4, 2), (2,)]
    assert type(holder.hidden) is dict and holder.hide() is holder.hidden
    holder.other = Dense(1)
    holder.other.build((None, 4))
    assert len(holder.weights) == 4


def test_grain_is_seen_on_the_call_stack():
    grain = pytest.importorskip("grain")
    ask = private_names.in_grain_data_pipeline
    assert not ask()
    assert list(grain.MapDataset.source([1]).map(lambda _: ask())) == [True]


@pytest.mark.parametrize("in_memory", [False, True])
def test_store_gives_back_what_it_wrote(in_memory, tmp_path):
    values = {"k": np.arange(6.0).reshape(2, 3), "h": ops.ones((2,), "bfloat16")}
    where = io.BytesIO() if in_memory else tmp_path / "a.lora.h5"
    out = H5IOStore(where, mode="w")
    group = out.make("lora/3", {"note": "x"})
    for key, value in values.items():
        group[key] = value
    out.make("lora")["rank"] = 4
    out.close()
    back = H5IOStore(where)
    assert back and back.has_path("lora/3") and not back.has_path("other")
    found = back.get("lora/3")
    for key, value in values.items():
        np.testing.assert_array_equal(found[key], np.asarray(value))
        assert found[key].dtype == np.asarray(value).dtype
    assert int(back.get("lora")["rank"][()]) == 4
    assert list(back.get("other").keys()) == []
    back.close()


def test_store_refuses_links_out_of_the_file_and_other_modes(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["lora"] = h5py.ExternalLink("other.h5", "/x")
    with pytest.raises(FileError):
        H5IOStore(tmp_path / "a.h5")
    with pytest.raises(ValueError, match="'r' or 'w', got 'a'"):
        H5IOStore(tmp_path / "a.h5", mode="a")
    with pytest.raises(ValueError, match="file object"):
        H5IOStore(tmp_path / "a.h5", archive=object())


def test_models_travel_through_the_private_saving_functions():
    from minikeras import Input, Sequential

    module = private_names.module_of("saving.saving_lib")
    model, file = Sequential([Input((2,)), Dense(1)]), io.BytesIO()
    module.save_model(model, file)
    file.seek(0)
    again = module.load_model(file)
    assert isinstance(again, Model)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
