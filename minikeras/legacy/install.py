"""Let scripts written for Keras, or for `tensorflow.keras`, run on minikeras.

Every import of `keras…` is answered by a facade: a module that looks names up in the
minikeras module of that name and then, for a path of Keras 2, in the family it
belonged to. Facades keep minikeras's own modules untouched: importing
`keras.layers.normalization` must not replace `minikeras.layers.normalization`.

The stand-in for `tensorflow` is for the user's code alone. Installed packages probe for
TensorFlow, and then use more of it than is there; they get what they would get without
minikeras. So the stand-in does not stay in `sys.modules` once others import.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import sysconfig
import threading
import types

from minikeras.core import missing_names as missing
from minikeras.legacy import private_names
from minikeras.version import KERAS_VERSION

_PACKAGE = "minikeras"
_STAND_IN = "minikeras.legacy.tensorflow"
_TENSOR_METHODS = f"{_STAND_IN}.tensors"
_MISSING = object()
_LOCK = threading.Lock()

# All names under which the Keras API has been found; longer ones first.
_KERAS_NAMES = (
    "tensorflow.keras.api",
    "tensorflow.keras",
    "keras._tf_keras.keras",
    "keras.api",
    "keras.src",
    "keras",
)
# Below this one the modules of the source are reached too.
_PRIVATE = ("keras.src",)
# TensorFlow imports these itself, so they are ours only where it is not installed.
_TENSORFLOWS_OWN = (
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow.python.keras",
)

# Paths of Keras 2 and the families whose names they held; `""` is the top level.
_OLD_PATHS = {
    "backend.tensorflow_backend": ["backend", "legacy.backend"],
    "engine": ["", "layers", "models"],
    "engine.base_layer": ["", "layers"],
    "engine.input_layer": ["", "layers"],
    "engine.topology": ["", "layers"],
    "engine.training": ["", "models"],
    "initializations": ["initializers"],
    "initializers.initializers_v2": ["initializers"],
    "layers.experimental": ["layers"],
    "layers.experimental.preprocessing": ["layers"],
    "optimizer_v2": ["optimizers"],
    "optimizers.experimental": ["optimizers"],
    "optimizers.legacy": ["optimizers"],
    "models.cloning": [""],
    "models.functional": ["", "layers"],
    "objectives": ["losses"],
    "preprocessing": ["utils"],
    "preprocessing.image": ["preprocessing", "utils"],
    "preprocessing.sequence": ["preprocessing", "utils"],
    "preprocessing.text": ["preprocessing"],
    "utils.model_visualization": ["utils"],
    "wrappers.scikit_learn": ["wrappers", "legacy.scikit_learn"],
}
_OLD_LAYERS = """activation advanced_activations attention convolutional
    convolutional_recurrent core dense_attention embeddings local merge merging noise
    normalization pooling recurrent regularization reshaping rnn wrappers"""
_OLD_UTILS = """all_utils data_utils generic_utils io_utils layer_utils np_utils
    training_utils vis_utils"""

# By these paths of Keras 2 old scripts reach names without importing them first.
_OLD_ATTRIBUTES = set(_OLD_PATHS)
_OLD_PATHS |= {f"layers.{name}": ["layers"] for name in _OLD_LAYERS.split()}
_OLD_PATHS |= {f"utils.{name}": ["utils"] for name in _OLD_UTILS.split()}
_OLD_ATTRIBUTES |= {f"utils.{name}" for name in _OLD_UTILS.split()}


def install_as_keras():
    """Put minikeras in place of `keras` for every import that follows.

    `import keras`, `from keras.layers import Dense` and the paths of Keras 2 then give
    minikeras. So does `tensorflow.keras`; where TensorFlow is not installed, the
    user's own code gets a small stand-in for `tensorflow` itself too
    (`tf.random.set_seed`, `tf.constant`, `tf.reduce_mean`, …), while installed packages
    still find no TensorFlow. Calling it again changes nothing.

    Raises:
        RuntimeError: real Keras has been imported already, so that its classes would
            be mixed with ours.
    """
    with _LOCK:  # of threads that call it at once, the first installs
        if not _installed():
            _install()


def _install():
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
    # Imported here and not by each user of minikeras: it takes 20 ms, the stand-in 50.
    from minikeras.legacy import arguments, methods, old_rules

    for part in (arguments, methods, old_rules):
        part.install()
    sys.meta_path.insert(0, _Finder(stand_in=not has_tensorflow))


def uninstall_as_keras():
    """Undo `install_as_keras`: imports of Keras that follow find what is installed.

    Modules that were imported meanwhile go on working where they are held.
    """
    with _LOCK:
        for finder in _installed():
            _uninstall(finder)


def _uninstall(finder):
    from minikeras.legacy import arguments, methods, old_rules

    sys.meta_path.remove(finder)
    for name in [n for n, m in sys.modules.items() if isinstance(m, Facade)]:
        del sys.modules[name]
    for part in (old_rules, methods, arguments):
        part.remove()
    finder.remove_tensor_methods()


def load_ipython_extension(shell):
    """`%load_ext minikeras` in a notebook: `install_as_keras()`.

    Args:
        shell: the shell of IPython.
    """
    install_as_keras()


def unload_ipython_extension(shell):
    """`%unload_ext minikeras`: `uninstall_as_keras()`.

    Args:
        shell: the shell of IPython.
    """
    uninstall_as_keras()


def _installed():
    return [finder for finder in sys.meta_path if isinstance(finder, _Finder)]


class Facade(types.ModuleType):
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
            value = _get(target, name)
            if value is not _MISSING and not isinstance(value, types.ModuleType):
                return value
        inner = f"{self.__name__}.{name}"
        try:
            if _is_attribute(inner):
                return importlib.import_module(inner)
        except ModuleNotFoundError as error:
            if error.name != inner:
                raise
        first = self._targets[0]
        start = (
            f"module {self.__name__!r}, for which install_as_keras() gives "
            f"{first.__name__}, has no {name!r}"
        )
        if lacking := getattr(first, "lacking", None):  # the stand-in's advice
            raise AttributeError(f"{start}. {lacking(name)}")
        public = {id(module): path for path, module in missing.guarded().items()}
        path = _inner(self.__name__)
        if path not in public.values():  # a path of Keras 2
            path = public.get(id(first), "")
        raise missing.missing_name_error(start, path, name, sys._getframe(1))

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if isinstance(value, Facade):  # the last step of importing a child
            self.__spec__.loader.hide_after_import()

    def __dir__(self):
        return self.__all__


def _get(target, name):
    """What a module has by a name, or `_MISSING`."""
    # A public module's own answer to other names is an error, whose hints take 1 ms.
    if any(target is module for module in missing.guarded().values()):
        # Some are properties of the module, which make their value when asked.
        return getattr(target, name) if name in vars(target) else _MISSING
    return getattr(target, name, _MISSING)


class _Spec(importlib.machinery.ModuleSpec):
    """Says when its module is loaded: Python then sets `_initializing` to False."""

    def __setattr__(self, name, value):
        done = name == "_initializing" and vars(self).get(name) and not value
        super().__setattr__(name, value)
        if done and "." not in self.name:  # a child is not yet its parent's attribute
            self.loader.hide_after_import()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers the imports of `keras…`, and with `stand_in` of `tensorflow…`."""

    def __init__(self, stand_in):
        self._stand_in = stand_in
        self._keras_names = _KERAS_NAMES + (_TENSORFLOWS_OWN if stand_in else ())
        self._tensorflow = {}  # the modules of the stand-in that were made so far

    def find_spec(self, fullname, path=None, target=None):
        if self._stand_in and not _is_for_the_user(sys._getframe(1)):
            # What the stand-in itself imports must not take it away half made.
            if not _imports_running(sys._getframe(1)):
                self.hide_stand_in()
            if fullname.partition(".")[0] == "tensorflow":
                return None
        if not self._targets(fullname):
            return None
        return _Spec(fullname, self, is_package=True)

    def create_module(self, spec):
        if spec.name in self._tensorflow:
            return self._tensorflow[spec.name]
        module = Facade(spec.name, self._targets(spec.name))
        if spec.name == "keras" or spec.name.endswith(".keras"):
            module.__version__ = KERAS_VERSION
        elif spec.name == "tensorflow":
            module.__version__ = module._targets[0].__version__
        if self._stand_in and spec.name.partition(".")[0] == "tensorflow":
            if not self._tensorflow:
                importlib.import_module(_TENSOR_METHODS).install()
            self._tensorflow[spec.name] = module
        return module

    def exec_module(self, module):
        """Nothing to run: a facade is complete once made."""

    def remove_tensor_methods(self):
        """Take TensorFlow's methods off arrays, where the stand-in was imported."""
        if self._tensorflow:
            importlib.import_module(_TENSOR_METHODS).remove()

    def hide_stand_in(self):
        """Take the stand-in out of `sys.modules`, where packages would find it.

        Whoever imported it holds it; the next import by the user gives the same module.
        """
        for name, module in self._tensorflow.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def hide_after_import(self):
        """`hide_stand_in`, but not while children still look for their parents."""
        if _imports_running(sys._getframe(1)) <= 1:
            self.hide_stand_in()

    def _targets(self, fullname):
        for prefix in self._keras_names:
            if fullname == prefix or fullname.startswith(prefix + "."):
                inside = fullname[len(prefix) + 1 :]
                return _keras_targets(inside, private=prefix in _PRIVATE)
        if self._stand_in and fullname.partition(".")[0] == "tensorflow":
            return _tensorflow_targets(fullname.partition(".")[2])
        return []


_LIBRARY = tuple({f"{sysconfig.get_path('stdlib')}{os.sep}", "<frozen "})
_PACKAGES = tuple(f"{os.sep}{x}{os.sep}" for x in ("site-packages", "dist-packages"))
_IMPORTLIB = ("<frozen importlib", f"{os.path.dirname(importlib.__file__)}{os.sep}")
_OURS = f"{os.path.dirname(os.path.dirname(__file__))}{os.sep}"


def _is_for_the_user(frame):
    """Is the import made by code that is not installed: script, cell, test, `-c`?

    Python's import machinery itself is looked through: runners of the user's code
    (runpy, IPython, pytest) are frames further out. Our own code imports for whoever
    holds a module of the stand-in already.
    """
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_IMPORTLIB):
            if private_names.uses_stand_in(frame.f_globals.get("__name__", "")):
                return True
            installed = any(folder in file for folder in _PACKAGES)
            return file.startswith(_OURS) or not (
                installed or file.startswith(_LIBRARY)
            )
        frame = frame.f_back
    return True


def old_remedy(holder, name, value):
    """What to write today for a name of a facade; "" if it is of today.

    Args:
        holder: the module of the alias, or any object.
        name: the name.
        value: what it has there.
    """
    if isinstance(value, Facade):
        inner = _inner(value.__name__)
        if inner in _OLD_PATHS and not _is_public(inner):
            targets = [target.__name__ for target in value._targets]
            today = next(t for t in targets if not t.startswith(f"{_PACKAGE}.legacy"))
            return f"a path of Keras 2; today {today.replace(_PACKAGE, 'keras', 1)}"
        return ""
    targets = getattr(holder, "_targets", None) or []
    found = [t for t in targets if hasattr(t, "__all__") and name in t.__all__]
    if not found or not found[0].__name__.startswith(f"{_PACKAGE}.legacy."):
        return ""
    family = found[0].__name__.removeprefix(f"{_PACKAGE}.legacy.")
    if family.startswith("tensorflow"):
        return ""
    instead = missing.replaced(family).get(name)
    if family == "backend" and name in missing.public_names(missing.guarded()["ops"]):
        instead = f"keras.ops.{name}"
    return f"write {instead}" if instead else "only older versions of Keras have it"


def _imports_running(frame):
    """How many imports of `tensorflow…` wait for each other in this thread?"""
    running = 0
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load_unlocked":
            name = frame.f_locals.get("name", "")
            running += name.partition(".")[0] == "tensorflow"
        frame = frame.f_back
    return running


def _inner(fullname):
    """What comes after `keras.` in any name of the Keras API; "" for the top."""
    for prefix in _KERAS_NAMES + _TENSORFLOWS_OWN:
        if fullname == prefix or fullname.startswith(prefix + "."):
            return fullname[len(prefix) + 1 :]
    return ""


def _is_attribute(fullname):
    """May `a.b` stand for the module of that name, without an import of it?"""
    if fullname.startswith(tuple(f"{name}." for name in _PRIVATE)):
        return True
    inner = _inner(fullname)
    if not inner:
        return True
    return _is_public(inner) or inner in _OLD_ATTRIBUTES


def _is_public(inner):
    return inner in missing.guarded()


def _keras_targets(inner, private=True):
    """The minikeras modules that `keras.<inner>` stands for; empty if none.

    A name of the public API has only public modules below it: our `optimizers/adam.py`
    is not `keras.optimizers.adam`.
    """
    if inner == "_tf_keras":
        inner = ""
    modules = [_module(inner)] if private or _is_public(inner) else []
    families = [inner, *_OLD_PATHS.get(inner, [])]
    modules += [_module(name) for name in families[1:]]
    # What only older versions have comes last.
    modules += [_module(f"legacy.{name}") for name in families if name]
    if private or inner in private_names.PLANNED:
        modules.append(private_names.module_of(inner))
    found = [module for module in modules if module is not None]
    return list(dict.fromkeys(found))


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
    for prefix in ("compat.v1", "compat.v2", "python"):  # the same, one level down
        inner = "" if inner == prefix else inner.removeprefix(f"{prefix}.")
    if not inner:
        return [shim]
    if inner.partition(".")[0] in shim.KERAS_MODULES:
        return _keras_targets(inner, private=False)
    namespace = shim.NAMESPACES.get(inner)
    return [] if namespace is None else [namespace]
