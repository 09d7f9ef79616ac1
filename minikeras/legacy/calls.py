"""Functions and methods of today, wrapped to take calls of Keras 1 and 2.

`methods.install` puts them in place.
"""

import functools

import numpy as np

from minikeras.legacy.notices import notice


def weighted(batches, class_weight):
    """Batches with a weight for each sample, by its class."""
    for x, y, *weights in batches:
        y = np.asarray(y)
        classes = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.ravel()
        own = np.array([class_weight.get(int(c), 1.0) for c in classes], "float32")
        yield x, y, own * weights[0] if weights else own


def add_weight_wrapper(original):
    """`add_weight(name, shape, dtype, initializer, …)`: the name stood first."""

    @functools.wraps(original)
    def add_weight(self, *args, **kwargs):
        if args and isinstance(args[0], str):
            notice("add_weight(name, shape)", "write add_weight(shape, name=)")
            names = "name shape dtype initializer regularizer trainable constraint"
            args, kwargs = (
                (),
                {**dict(zip(names.split(), args, strict=False)), **kwargs},
            )
        return original(self, *args, **kwargs)

    return add_weight


def relu_wrapper(original):
    @functools.wraps(original)
    def relu(x, *args, alpha=None, **kwargs):
        if alpha is not None:
            notice("relu(alpha=)", "write negative_slope=")
            kwargs["negative_slope"] = alpha
        return original(x, *args, **kwargs)

    return relu


def to_categorical_wrapper(original):
    @functools.wraps(original)
    def to_categorical(x=None, num_classes=None, **kwargs):
        """Classes as rows of zeros with one 1, with the names of Keras 1 and 2."""
        x = kwargs.pop("y", x)
        if "nb_classes" in kwargs:
            notice("to_categorical(nb_classes=)", "write num_classes=")
            num_classes = kwargs.pop("nb_classes")
        dtype = kwargs.pop("dtype", None)
        found = original(x, num_classes, **kwargs)
        return found if dtype is None else found.astype(dtype)

    return to_categorical


def old_accuracy_wrapper(original):
    """`monitor="val_acc"` of a metric that is `val_accuracy` today."""

    @functools.wraps(original)
    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        old = [x for x in ("acc", "val_acc") if f"{x}uracy" in logs and x not in logs]
        if (name := self.monitor) in old:
            notice(f"monitor={name!r}", f"write {name}uracy")
            self.monitor = f"{name}uracy"
        both = {**logs, **{x: logs[f"{x}uracy"] for x in old}}  # for names of files
        result = original(self, epoch, both)
        # What the callback has added, such as the learning rate, is for all.
        logs.update({name: value for name, value in both.items() if name not in old})
        return result

    return on_epoch_end


class _OldHistory(dict):
    """A history that has `acc` as well, where it has `accuracy`."""

    def __missing__(self, key):
        if key in ("acc", "val_acc") and f"{key}uracy" in self:
            notice(f"history[{key!r}]", f"write {key}uracy")
            return self[f"{key}uracy"]
        raise KeyError(key)


def history_wrapper(original):
    @functools.wraps(original)
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.history = _OldHistory()

    return init
