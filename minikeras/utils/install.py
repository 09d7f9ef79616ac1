"""Let scripts written for Keras, or for `tensorflow.keras`, run on minikeras.

Every import of `keras…` is answered by a facade: a module that looks names up in the
minikeras module of that name and then, for a path of Keras 2, in the family it
belonged to. Facades keep minikeras's own modules untouched: importing
`keras.layers.normalization` must not replace `minikeras.layers.normalization`.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

# The API that `keras.__version__` stands for.
KERAS_VERSION = "3.15.1"
_PACKAGE = "minikeras"
_STAND_IN = "minikeras.legacy.tensorflow_shim"
_MISSING = object()

# All names under which the Keras API has been found; longer ones first.
_KERAS_NAMES = (
    "tensorflow.keras.api",
    "tensorflow.keras",
    "keras._tf_keras.keras",
    "keras.api",
    "keras.src",
    "keras",
)
# TensorFlow imports these itself, so they are ours only where it is not installed.
_TENSORFLOWS_OWN = (
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow.python.keras",
)

# Paths of Keras 2 and the families whose names they held; `""` is the top level.
_OLD_PATHS = {
    "backend.tensorflow_backend": ["backend"],
    "engine": ["", "layers", "models"],
    "engine.base_layer": ["", "layers"],
    "engine.input_layer": ["", "layers"],
    "engine.topology": ["", "layers"],
    "engine.training": ["", "models"],
    "initializers.initializers_v2": ["initializers"],
    "layers.experimental": ["layers"],
    "layers.experimental.preprocessing": ["layers"],
    "optimizer_v2": ["optimizers"],
    "optimizers.experimental": ["optimizers"],
    "optimizers.legacy": ["optimizers"],
    "preprocessing": ["utils"],
    "preprocessing.image": ["preprocessing", "utils"],
    "preprocessing.sequence": ["preprocessing", "utils"],
    "preprocessing.text": ["preprocessing", "legacy"],
    "wrappers.scikit_learn": ["wrappers"],
}
_OLD_LAYERS = """activation advanced_activations attention convolutional
    convolutional_recurrent core dense_attention embeddings local merge merging noise
    normalization pooling recurrent regularization reshaping rnn wrappers"""
_OLD_UTILS = """all_utils data_utils generic_utils io_utils layer_utils np_utils
    training_utils vis_utils"""
_OLD_PATHS |= {f"layers.{name}": ["layers"] for name in _OLD_LAYERS.split()}
_OLD_PATHS |= {f"utils.{name}": ["utils"] for name in _OLD_UTILS.split()}


def install_as_keras():
    """Put minikeras in place of `keras` for every import that follows.

    `import keras`, `from keras.layers import Dense` and the paths of Keras 2 then give
    minikeras. So does `tensorflow.keras`; where TensorFlow is not installed, a small
    stand-in for `tensorflow` itself is provided too (`tf.random.set_seed`,
    `tf.constant`, `tf.reduce_mean`, …). Calling it again changes nothing.

    Raises:
        RuntimeError: real Keras has been imported already, so that its classes would
            be mixed with ours.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    for name in ("keras", "tensorflow.keras"):
        if name in sys.modules:
            file = getattr(sys.modules[name], "__file__", None)
            raise RuntimeError(
                f"install_as_keras() expected that Keras is not imported yet, but "
                f"{name!r} already is, from {file}. Call it before the first import "
                "of keras or tensorflow, in the first lines of the script."
            )
    has_tensorflow = "tensorflow" in sys.modules or (
        importlib.util.find_spec("tensorflow") is not None
    )
    sys.meta_path.insert(0, _Finder(stand_in=not has_tensorflow))


class _Facade(types.ModuleType):
    """A module whose names are those of other modules."""

    def __init__(self, name, targets):
        super().__init__(name, targets[0].__doc__)
        self._targets = targets
        self.__file__ = getattr(targets[0], "__file__", None)
        names = (getattr(target, "__all__", None) or dir(target) for target in targets)
        self.__all__ = sorted({n for part in names for n in part if n[0] != "_"})

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no {name!r}")
        for target in self._targets:
            value = getattr(target, name, _MISSING)
            if value is not _MISSING and not isinstance(value, types.ModuleType):
                return value
        inner = f"{self.__name__}.{name}"
        try:
            return importlib.import_module(inner)
        except ModuleNotFoundError as error:
            if error.name != inner:
                raise
            first = self._targets[0]
            raise AttributeError(
                f"module {self.__name__!r}, for which install_as_keras() gives "
                f"{first.__name__}, has no {name!r}. {getattr(first, 'LACKING', '')}"
            ) from None

    def __dir__(self):
        return [*super().__dir__(), *self.__all__]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers the imports of `keras…`, and with `stand_in` of `tensorflow…`."""

    def __init__(self, stand_in):
        self._stand_in = stand_in
        self._keras_names = _KERAS_NAMES + (_TENSORFLOWS_OWN if stand_in else ())

    def find_spec(self, fullname, path=None, target=None):
        if not self._targets(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        module = _Facade(spec.name, self._targets(spec.name))
        if spec.name == "keras" or spec.name.endswith(".keras"):
            module.__version__ = KERAS_VERSION
        elif spec.name == "tensorflow":
            module.__version__ = module._targets[0].__version__
        return module

    def exec_module(self, module):
        """Nothing to run: a facade is complete once made."""

    def _targets(self, fullname):
        for prefix in self._keras_names:
            if fullname == prefix or fullname.startswith(prefix + "."):
                return _keras_targets(fullname[len(prefix) + 1 :])
        if self._stand_in and fullname.partition(".")[0] == "tensorflow":
            return _tensorflow_targets(fullname.partition(".")[2])
        return []


def _keras_targets(inner):
    """The minikeras modules that `keras.<inner>` stands for; empty if none."""
    if inner == "_tf_keras":
        inner = ""
    modules = [_module(inner)]
    modules += [_module(name) for name in _OLD_PATHS.get(inner, [])]
    return [module for module in modules if module is not None]


def _module(inner):
    name = f"{_PACKAGE}.{inner}" if inner else _PACKAGE
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # An import that fails inside an existing module is a fault to be seen.
        if error.name is not None and (name + ".").startswith(error.name + "."):
            return None
        raise


def _tensorflow_targets(inner):
    shim = importlib.import_module(_STAND_IN)
    if inner in ("", "python", "compat", "compat.v1", "compat.v2"):
        return [shim]
    namespace = shim.NAMESPACES.get(inner)
    return [] if namespace is None else [namespace]
