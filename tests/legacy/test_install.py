"""Each script runs in its own process: the imports of this one stay as they are."""

import importlib.util
import subprocess
import sys
import textwrap

import pytest


def run(script):
    code = "from minikeras.utils import install_as_keras\n" + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keras():
    run(
        """
        install_as_keras()
        install_as_keras()
        import minikeras.callbacks, minikeras.utils
        import keras
        assert keras.__version__ == "3.15.1"
        assert keras.callbacks.History is minikeras.callbacks.History
        from keras import callbacks, utils
        assert callbacks is keras.callbacks
        from keras.callbacks import EarlyStopping
        from keras.src.callbacks.early_stopping import EarlyStopping as deep
        from keras.api.callbacks import EarlyStopping as api
        assert EarlyStopping is minikeras.callbacks.EarlyStopping is deep is api
        from keras.utils import *
        assert to_categorical is minikeras.utils.to_categorical
        assert "Progbar" in dir(keras.utils)
        """
    )


def test_paths_of_keras_2():
    run(
        """
        install_as_keras()
        import minikeras.utils
        import keras.utils.np_utils
        from keras.utils.np_utils import to_categorical
        assert to_categorical is minikeras.utils.to_categorical
        assert keras.utils.np_utils.to_categorical is to_categorical
        from keras.utils.data_utils import Sequence
        assert Sequence is minikeras.utils.PyDataset
        # The facades leave our own modules as they were.
        assert not hasattr(minikeras.utils, "np_utils")
        """
    )


no_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None,
    reason="the stand-in is for where TensorFlow is not installed",
)


@no_tensorflow
def test_tensorflow_keras():
    run(
        """
        install_as_keras()
        import minikeras.callbacks
        from tensorflow import keras
        from tensorflow.keras.callbacks import EarlyStopping
        import tensorflow as tf
        assert tf.keras.callbacks.EarlyStopping is EarlyStopping
        assert keras.callbacks.EarlyStopping is minikeras.callbacks.EarlyStopping
        from tensorflow.random import set_seed
        import numpy as np
        x = tf.constant([[1.0, 2.0]], dtype=tf.float32)
        assert tf.is_tensor(x) and x.dtype == tf.float32 and tf.newaxis is None
        np.testing.assert_array_equal(tf.constant(2, shape=(2, 2)), np.full((2, 2), 2))
        assert tf.config.list_physical_devices("CPU")[0].device_type == "CPU"
        assert tf.function(lambda x: x * 2)(x).tolist() == [[2.0, 4.0]]
        assert tf.__version__ >= "2.16"
        """
    )


@no_tensorflow
def test_what_is_not_there():
    run(
        """
        import importlib
        install_as_keras()
        import keras, tensorflow
        for name in ("keras.nope", "keras.utils.nope", "tensorflow.nope"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                assert error.name == name
            else:
                raise AssertionError(name)
        for text in (
            "keras.preprocessing.text import Nope",
            "keras.utils.layer_utils import nope",
            "tensorflow.keras.preprocessing.image import nope",
        ):
            try:
                exec(f"from {text}")
            except ImportError as error:
                assert f"has no '{text.split()[-1]}'" in str(error), error
            else:
                raise AssertionError(text)
        for module, name, text in (
            (keras.utils, "nope", "gives minikeras.utils, has no 'nope'"),
            (tensorflow, "raw_ops", "TensorFlow is not installed"),
            (tensorflow.nn, "nope", "lacks tf.nn.nope"),
        ):
            try:
                getattr(module, name)
            except AttributeError as error:
                assert text in str(error), error
            else:
                raise AssertionError(name)
        assert not hasattr(keras, "__wrapped__")
        """
    )


@pytest.mark.parametrize("name", ["keras", "tensorflow.keras"])
def test_refuses_after_real_keras(name):
    run(
        f"""
        import sys, types
        sys.modules[{name!r}] = types.ModuleType({name!r})
        finders = list(sys.meta_path)
        try:
            install_as_keras()
        except RuntimeError as error:
            assert "{name}' already is" in str(error)
            assert "before the first import" in str(error)
        else:
            raise AssertionError("not refused")
        assert sys.meta_path == finders
        """
    )


def test_beside_real_tensorflow(tmp_path):
    package = tmp_path / "tensorflow"
    (package / "python" / "keras").mkdir(parents=True)
    for folder in (package, package / "python", package / "python" / "keras"):
        (folder / "__init__.py").write_text("real = True")
    run(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        install_as_keras()
        import minikeras.callbacks
        import tensorflow, tensorflow.python.keras
        from tensorflow.keras.callbacks import History
        assert tensorflow.real and tensorflow.python.keras.real
        assert History is minikeras.callbacks.History
        """
    )


def test_nothing_changes_before_the_call():
    out = run(
        """
        import importlib.util, sys
        print(any("install" in type(f).__module__ for f in sys.meta_path))
        """
    )
    assert out == "False\n"


@no_tensorflow
def test_tensorflow_functions():
    run(
        """
        install_as_keras()
        import random
        import numpy as np
        import tensorflow as tf
        x = np.array([[1.0, -2.0, 0.5], [4.0, 0.25, 3.0]], "float32")
        np.testing.assert_allclose(tf.reduce_mean(x, axis=1), x.mean(1))
        np.testing.assert_allclose(tf.math.reduce_sum(tf.square(x)), (x**2).sum())
        np.testing.assert_array_equal(tf.argmax(x), x.argmax(0))
        np.testing.assert_array_equal(tf.shape(x), [2, 3])
        np.testing.assert_array_equal(tf.concat([x, x], axis=0), np.concatenate([x, x]))
        np.testing.assert_allclose(tf.nn.relu(x), np.maximum(x, 0))
        np.testing.assert_array_equal(tf.range(3), [0, 1, 2])
        assert tf.cast(x, tf.int32).dtype == tf.int32
        """
    )


@pytest.fixture
def packages(tmp_path):
    """A folder of installed packages that probe for TensorFlow, each in its way."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    files = {
        "probes": """
            try:
                import tensorflow
            except ImportError:
                tensorflow = None
            """,
        "probes_deep": """
            try:
                from tensorflow.keras.layers import Dense
            except ImportError:
                Dense = None
            """,
        "asks_for_the_spec": """
            import importlib, importlib.util
            found = importlib.util.find_spec("tensorflow") is not None
            try:
                importlib.import_module("tensorflow")
                found = True
            except ModuleNotFoundError as error:
                assert error.name == "tensorflow"
            """,
        "late": """
            def found():
                try:
                    import tensorflow
                except ImportError:
                    return False
                return True
            """,
        "tuner": "import keras\nfrom keras.src.layers import Dense\n",
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


@no_tensorflow
@pytest.mark.parametrize("first", ["", "import tensorflow as tf; tf.constant(1.0)"])
def test_installed_packages_find_no_tensorflow(packages, first):
    run(
        f"""
        import sys
        sys.path.insert(0, {str(packages)!r})
        install_as_keras()
        import late
        {first}
        assert not late.found()
        import probes, probes_deep, asks_for_the_spec
        assert probes.tensorflow is None and probes_deep.Dense is None
        assert not asks_for_the_spec.found and not late.found()
        import tensorflow as one
        from tensorflow.keras.layers import Dense
        import tensorflow.keras.layers as layers
        assert not late.found()
        import tensorflow as two, importlib, importlib.util
        assert one is two and importlib.util.find_spec("tensorflow") is not None
        assert importlib.import_module("tensorflow.keras").layers is layers
        assert layers.Dense is Dense and not late.found()
        import tuner, minikeras
        assert tuner.Dense is Dense is minikeras.layers.Dense
        """
    )


@no_tensorflow
@pytest.mark.parametrize("how", ["script", "module", "pytest", "installed"])
def test_who_runs_the_users_code(tmp_path, packages, how):
    script = "from minikeras import install_as_keras\ninstall_as_keras()\n"
    script += "import tensorflow as tf\nfrom tensorflow import keras\n"
    script += "def test_it():\n    assert tf.keras is keras\ntest_it()\n"
    (tmp_path / "test_mine.py").write_text(script)
    (packages / "mine.py").write_text(script)
    command = {
        "script": ["test_mine.py"],
        "module": ["-m", "test_mine"],
        "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        "installed": [str(packages / "mine.py")],
    }[how]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True)
    assert (done.returncode == 0) == (how != "installed"), done.stderr


def test_no_module_in_the_place_of_a_name():
    run(
        """
        install_as_keras()
        import keras
        from keras.layers.merge import add          # a path of Keras 2
        for module, name in (
            (keras.optimizers, "muon"), (keras.losses, "loss"), (keras.layers, "core"),
            (keras, "core"), (keras.callbacks, "history"),
        ):
            assert not hasattr(module, name) and name not in dir(module), name
        for line, text in (
            ("from keras.optimizers import adams", "Did you mean 'Adam'"),
            ("from keras.layers import AbstractRNNCell", "in keras.layers.RNN"),
            ("from keras.datasets import nothing", "has no 'nothing'"),
        ):
            try:
                exec(line)
            except ImportError as error:
                assert text in str(error), error
            else:
                raise AssertionError(line)
        assert isinstance(keras.optimizers.adam(), keras.optimizers.Adam)
        # Without an import of their own, old scripts write these.
        keras.utils.np_utils.to_categorical
        keras.layers.experimental.preprocessing.Rescaling
        keras.src.callbacks.early_stopping.EarlyStopping
        """
    )


def test_threads_install_once():
    run(
        """
        import sys, threading
        import minikeras
        fit = minikeras.Model.fit
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=install_as_keras) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len([f for f in sys.meta_path if "install" in type(f).__module__]) == 1
        # What a path stands for is looked up once for many programs.
        from minikeras.legacy.source import findings
        resolved, program = {}, "import keras\\nkeras.Nope"
        (finding,) = findings(program, resolved=resolved)
        assert "has no 'Nope'" in finding.text
        resolved["keras.Nope"] = None, "as before", ""
        assert findings(program, resolved=resolved)[0].text == "as before"
        minikeras.uninstall_as_keras()
        assert minikeras.Model.fit is fit
        """
    )
