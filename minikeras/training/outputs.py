"""Which loss, metric, target or weight belongs to which output of a model.

The outputs of a model are an array or any nest of them. What the user gives beside
them may follow the same nest, be a list in their order, or a dict by output name.
"""

import jax


def is_leaf_list(value) -> bool:
    """A list or tuple?"""
    return isinstance(value, (list, tuple))


def output_leaves(y_pred) -> list:
    """The outputs, flattened."""
    return jax.tree_util.tree_leaves(y_pred)


def output_names(y_pred, names=None) -> list[str | None]:
    """A name for each output: the model's, or the keys of a dict of outputs.

    >>> output_names({"b": 1, "a": {"c": 2}}), output_names([1, 2])
    (['a/c', 'b'], [None, None])
    """
    paths = jax.tree_util.tree_leaves_with_path(y_pred)
    keyed = []
    for path, _ in paths:
        keys = [str(k.key) for k in path if isinstance(k, jax.tree_util.DictKey)]
        keyed.append("/".join(keys) if keys else None)
    if any(keyed):
        return keyed
    if names is not None and len(names) == len(paths):
        return list(names)
    return keyed


def align(value, y_pred, names, what, leaf):
    """`value` as a list with one entry for each output.

    Args:
        value: one leaf, a list by position, a dict by name, or the outputs' nest.
        y_pred: the outputs.
        names: of `output_names`.
        what: what the value is called in errors.
        leaf: `leaf(x)` says whether x is an entry for one output.

    Raises:
        ValueError: wrong length or unknown names.
    """
    count = len(names)
    if leaf(value):
        return [value] * count
    if isinstance(value, dict):
        return _by_name(value, y_pred, names, what, leaf)
    if is_leaf_list(value):
        flat = []
        for item in value:
            nested = is_leaf_list(item) or isinstance(item, dict)
            flat.extend(_flatten(item, leaf) if nested and not leaf(item) else [item])
        if len(flat) == 1 and count == 1 or len(flat) == count:
            return flat
        raise ValueError(
            f"{what}: the model has {count} output(s) {_shown(names)}, but {len(flat)} "
            f"entries were given: {value!r}. Give one for each output (None for none)."
        )
    raise ValueError(
        f"{what}: expected one entry, a list of {count} or a dict by output name "
        f"{_shown(names)}, got {value!r}."
    )


def _by_name(value, y_pred, names, what, leaf):
    flat = _flatten_dict(value, leaf)
    known = [n for n in names if n is not None]
    if not known and len(names) == 1 and len(flat) == 1:
        return list(flat.values())
    unknown = [k for k in flat if k not in known]
    if unknown:
        raise ValueError(
            f"{what}: unknown output name(s) {unknown}; the model's outputs are "
            f"{_shown(names)}."
        )
    return [flat.get(n) for n in names]


def _flatten(value, leaf):
    if leaf(value):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [x for item in items for x in _flatten(item, leaf)]


def _flatten_dict(value, leaf, prefix=""):
    flat = {}
    for key, item in value.items():
        if isinstance(item, dict) and not leaf(item):
            flat |= _flatten_dict(item, leaf, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = item
    return flat


def _shown(names):
    return [n if n is not None else f"#{i}" for i, n in enumerate(names)]


def align_arrays(value, y_pred, names, what):
    """Targets or sample weights as a list with one array (or None) an output."""
    if value is None:
        return [None] * len(names)

    def is_array(x):
        return x is None or hasattr(x, "shape")

    if is_array(value) and what == "y" and len(names) > 1:
        raise ValueError(
            f"y: the model has {len(names)} outputs {_shown(names)}, but one array of "
            f"targets of shape {tuple(value.shape)} was given. Give one for each."
        )
    return align(value, y_pred, names, what, is_array)
