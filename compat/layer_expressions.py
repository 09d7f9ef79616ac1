"""Expressions in the layers of one of two packages, and what differs between them."""

import jax
import numpy as np


def adapted(layer, *data, **kwargs):
    """The layer after `adapt`."""
    layer.adapt(*data, **kwargs)
    return layer


def updated(layer, *batches):
    """The layer after updates by hand."""
    layer.reset_state()
    for batch in batches:
        layer.update_state(batch)
    layer.finalize_state()
    return layer


def config(layer):
    """Its config in order, without the name."""
    return [(k, v) for k, v in layer.get_config().items() if k != "name"]


def again(layer):
    """A copy made from the config."""
    return type(layer).from_config(layer.get_config())


def plain(value):
    """Arrays of both packages in one form: NumPy, texts as str."""
    if hasattr(value, "numpy") and not isinstance(value, jax.Array):
        value = value.numpy()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.dtype.kind in "OS":
        return np.vectorize(plain, otypes=[object])(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def outcome(package, case, names):
    """The value of the expression, or its error.

    Args:
        package: minikeras or keras, of which `L` are the layers.
        case: the expression.
        names: {name: value} of what else it may use.
    """
    try:
        return plain(eval(case, {**globals(), **names, "L": package.layers}))
    except Exception as error:
        return error


def difference(ours, theirs, rtol=1e-6, atol=1e-7):
    """What differs between two outcomes, or None."""
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        both = isinstance(ours, Exception) and isinstance(theirs, Exception)
        return None if both else f"ours: {ours!r}\ntheirs: {theirs!r}"
    if isinstance(theirs, list) and isinstance(ours, list):
        if len(ours) != len(theirs):
            return f"ours: {ours!r}\ntheirs: {theirs!r}"
        found = (
            difference(a, b, rtol, atol) for a, b in zip(ours, theirs, strict=True)
        )
        return next((text for text in found if text), None)
    if hasattr(theirs, "dtype"):
        mine, wanted = np.asarray(ours), np.asarray(theirs)
        same = mine.dtype == wanted.dtype and mine.shape == wanted.shape
        if same and wanted.dtype.kind == "f":
            same = np.allclose(mine, wanted, rtol=rtol, atol=atol)
        else:
            same = same and (mine == wanted).all()
        if not same:
            return f"ours: {mine!r}\ntheirs: {wanted!r}"
        return None
    return None if ours == theirs else f"ours: {ours!r}\ntheirs: {theirs!r}"
