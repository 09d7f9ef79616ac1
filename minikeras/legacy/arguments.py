"""Arguments of Keras 1 and 2, while minikeras stands in for Keras.

`install()` wraps the constructors and methods that had other arguments then: a call
with an old one is put into today's words, with one warning each. `remove()` takes the
wrappers off again. A call without old names only pays for a look at its keywords.
"""

import functools
import inspect
from collections.abc import Callable, Iterator

from minikeras import callbacks, layers, models, optimizers
from minikeras.legacy import layers as old_layers
from minikeras.legacy.notices import notice
from minikeras.models.functional import Functional
from minikeras.saving.errors import FileError
from minikeras.saving.upgrades import (
    ARGUMENTS,
    OLD_ARGUMENTS,
    parameters_of,
    upgrade_arguments,
)

_OF_QUEUES = "max_q_size max_queue_size nb_worker pickle_safe use_multiprocessing"
_QUEUE = dict.fromkeys([*_OF_QUEUES.split(), "workers"], "")

# {method of a model: {old argument: today's, "" for none}}
METHODS = {
    "compile": {"class_mode": "", "sample_weight_mode": "", "target_tensors": ""},
    "evaluate": {**_QUEUE, "show_accuracy": ""},
    "fit": {**_QUEUE, "nb_epoch": "epochs", "show_accuracy": ""},
    "predict": _QUEUE,
}
# {class: {old argument: today's, "" for none}}, besides those of layers.
CLASSES = {
    "Model": {"input": "inputs", "output": "outputs"},
    "Optimizer": {"lr": "learning_rate", "schedule_decay": ""},
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
}
# What optimizers take themselves.
_STILL_TAKEN = ("lr",)
# Old arguments of layers that are still arguments of all of them, or of files alone.
_NOT_OF_CALLS = """activity_regularizer batch_input_shape dynamic input_dim input_dtype
    input_length is_legacy_optimizer jit_compile kernel_constraint kernel_initializer
    kernel_regularizer key_shape loss_scale lr query_shape softmax_robust_masking
    value_shape"""
_SIZES = "kernel_dim1 kernel_dim2 kernel_dim3 nb_col nb_row"
_LAYER_ARGUMENTS = frozenset(
    {*OLD_ARGUMENTS, *_SIZES.split()} - {*_NOT_OF_CALLS.split()}
)
# The shape of the input, in pieces.
_INPUT_SIZES = ("input_dim", "input_length")


def old_arguments(cls: type) -> dict[str, str]:
    """{old argument: today's, "" for none} of a layer's class.

    Args:
        cls: subclass of `Layer`.
    """
    known = parameters_of(cls)
    found = {}
    for name in sorted(_LAYER_ARGUMENTS - known):
        if name in ARGUMENTS:
            today = [x for x in ARGUMENTS[name] if x in known]
            found |= {name: today[0]} if today else {}
        elif name in _SIZES.split() and "kernel_size" in known:
            found[name] = "kernel_size"
    if issubclass(cls, _OF_SEQUENCES):
        found["input_length"] = "input_shape"
    return found


_OF_SEQUENCES = (layers.Embedding, layers.RNN, layers.Conv1D)


def _with_input_shape(cls, name, kwargs):
    """Keywords with `input_shape` in place of `input_length` and `input_dim`.

    A stack that begins with such a layer was built at once: scripts go on to set the
    weights of an Embedding, or take the stack's `output`.
    """
    kwargs = dict(kwargs)
    length = kwargs.pop("input_length", None)
    if length is not None:
        notice(f"{name}(input_length=)", "begin with keras.Input(shape)")
    shape = ()
    if issubclass(cls, layers.Embedding):
        shape = tuple(length) if isinstance(length, (list, tuple)) else (length,)
    elif length is not None or issubclass(cls, layers.RNN):
        shape = (length, kwargs.pop("input_dim", None))
    known = {"input_shape", "batch_input_shape", "batch_shape"} & {*kwargs}
    if known or shape[-1:] in ((), (None,)):
        return kwargs
    return {**kwargs, "input_shape": shape}


def _today(cls, name, kwargs):
    """Keyword arguments of a layer in today's words."""
    kwargs, known = _with_input_shape(cls, name, kwargs), parameters_of(cls)
    old = {k: v for k, v in kwargs.items() if k in _LAYER_ARGUMENTS and k not in known}
    if not old:
        return kwargs
    try:
        new = upgrade_arguments(cls, name, old)
    except FileError:
        raise ValueError(
            f"{name}: {', '.join(f'{k}={v!r}' for k, v in old.items())} cannot be put "
            "into arguments of today: one has no counterpart. Leave it out, and put a "
            "layer of its own, such as Dropout, before or after."
        ) from None
    for key in [k for k in old if k not in new]:
        today = old_arguments(cls).get(key)
        remedy = f"write {today}=" if today else "leave it out, it has no effect"
        notice(f"{name}({key}=)", remedy)
    return {k: v for k, v in kwargs.items() if k not in old} | new


def _renamed(table, name, kwargs):
    """Keyword arguments by a table of old names."""
    new = {k: v for k, v in kwargs.items() if k not in table}
    for key in [k for k in kwargs if k in table]:
        today, value = table[key], kwargs[key]
        if key == "target_tensors" and value is not None:
            raise ValueError(
                "compile: `target_tensors` of Keras 2 has no counterpart. Make the "
                "targets inputs of the model, and use `model.add_loss`."
            )
        remedy = f"write {today}=" if today else "leave it out, it has no effect"
        notice(f"{name}({key}=)", remedy)
        if today:
            new[key if key in _STILL_TAKEN else today] = value
    return new


def _wrapped(original: Callable, old: frozenset, change: Callable) -> Callable:
    """The function, with old names among its keywords put into today's words.

    Args:
        original: method or constructor.
        old: the old names.
        change: function of (name for notices, keywords) that returns new keywords.
    """
    name = original.__name__
    label = "" if name.startswith("__") else name

    @functools.wraps(original)
    def call(*args, **kwargs):
        if kwargs and not old.isdisjoint(kwargs):
            owner = args[0] if isinstance(args[0], type) else type(args[0])
            new = change(label or owner.__name__, kwargs)
            if owner.__init__ is call and owner is not args[0]:
                # What `get_config` of a class without its own goes by.
                object.__setattr__(args[0], "_mk_init_arguments", (args[1:], new))
            kwargs = new
        return original(*args, **kwargs)

    call._mk_is_of_old_arguments = True  # pyright: ignore
    return call


# {optimizer: its arguments in Keras 1 and 2, in their order}
_OLD_ORDERS = {
    "Adadelta": "learning_rate rho epsilon decay",
    "Adagrad": "learning_rate epsilon decay",
    "Adam": "learning_rate beta_1 beta_2 epsilon decay amsgrad",
    "Adamax": "learning_rate beta_1 beta_2 epsilon decay",
    "Nadam": "learning_rate beta_1 beta_2 epsilon schedule_decay",
    "RMSprop": "learning_rate rho epsilon decay",
    "SGD": "learning_rate momentum decay nesterov",
}


def _in_old_order(name, args):
    """Can values by position only be meant in the order of Keras 1 and 2?"""
    if name in ("Adam", "SGD"):  # a flag has its place here today
        place = _OLD_ORDERS[name].split().index("decay")
        return len(args) > place and not isinstance(args[place], bool)
    if name in ("Adagrad", "RMSprop"):  # where epsilon was is now a larger number
        values = args[_OLD_ORDERS[name].split().index("epsilon") :][:1]
        return any(x is None or 0 < x <= 1e-3 for x in values)
    return False


def _by_old_order(original, name):
    """The constructor of an optimizer, for values in the order of Keras 1 and 2."""
    order = _OLD_ORDERS[name].split()

    @functools.wraps(original)
    def init(self, *args, **kwargs):
        if _in_old_order(name, args):
            notice(f"{name}({', '.join(order[: len(args)])})", "write names")
            given = dict(zip(order, args, strict=False))
            given = {k: v for k, v in given.items() if v is not None}
            args, kwargs = (), {**given, **kwargs}
        elif len(args) >= len(order) and order[-1].endswith("decay"):
            notice(
                f"{name}(…, {order[-1]})",
                f"write {order[-1]}= for it; in this place it is weight_decay now",
            )
        return original(self, *args, **kwargs)

    init._mk_is_of_old_order = True  # pyright: ignore
    return init


def _places() -> Iterator[tuple[type, str, frozenset, Callable]]:
    """(class, method, old names, change of the keywords) of all that is wrapped."""
    seen = {layers.Layer}
    for cls in [x for x in vars(layers).values() if inspect.isclass(x)]:
        for base in cls.__mro__ if issubclass(cls, layers.Layer) else ():
            own = base.__module__.startswith("minikeras.layers") and base not in seen
            if own and issubclass(base, layers.Layer) and "__init__" in vars(base):
                seen.add(base)
                change = functools.partial(_today, base)
                yield base, "__init__", _LAYER_ARGUMENTS.union(_INPUT_SIZES), change
    trainer = next(c for c in models.Model.__mro__ if "fit" in vars(c))
    for cls, name, table in (
        *((trainer, name, table) for name, table in METHODS.items()),
        (models.Model, "__new__", CLASSES["Model"]),
        (models.Model, "__init__", CLASSES["Model"]),
        (Functional, "__init__", CLASSES["Model"]),
        (optimizers.Optimizer, "__init__", CLASSES["Optimizer"]),
        (callbacks.ReduceLROnPlateau, "__init__", CLASSES["ReduceLROnPlateau"]),
    ):
        change = functools.partial(_renamed, table)
        yield cls, name, frozenset(table), change


def _set(owner, name, function):
    setattr(owner, name, staticmethod(function) if name == "__new__" else function)


def install() -> None:
    """Let constructors and methods take the arguments of Keras 1 and 2."""
    for owner, name, old, change in _places():
        original = getattr(owner, name)
        if not hasattr(original, "_mk_is_of_old_arguments"):
            _set(owner, name, _wrapped(original, old, change))
    for name in _OLD_ORDERS:
        cls = getattr(optimizers, name)
        if not hasattr(cls.__init__, "_mk_is_of_old_order"):
            cls.__init__ = _by_old_order(cls.__init__, name)
    for name, cls in old_layers.CONVOLUTIONS.items():
        setattr(layers, name, cls)


def remove() -> None:
    """Undo `install`; what was installed after it must be gone already."""
    for cls in (getattr(optimizers, name) for name in _OLD_ORDERS):
        if hasattr(cls.__init__, "_mk_is_of_old_order"):
            cls.__init__ = cls.__init__.__wrapped__
    for owner, name, *_ in _places():
        if hasattr(getattr(owner, name), "_mk_is_of_old_arguments"):
            _set(owner, name, getattr(owner, name).__wrapped__)
    for name, cls in old_layers.CONVOLUTIONS.items():
        setattr(layers, name, cls.__base__)
