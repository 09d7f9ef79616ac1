"""Which loss, metric, target or weight belongs to which output of a model.

The outputs of a model are an array or any nest of them. What the user gives beside
them may follow the same nest, be a list in their order, or a dict by output name.
"""

import jax

from minikeras.core import tree


def output_leaves(y_pred) -> list:
    """The outputs, flattened."""
    return jax.tree_util.tree_leaves(y_pred)


def labels(y_pred, names=None) -> dict[tuple, str | None]:
    """{path: label} of the outputs: keys of dicts, the model's names after indices.

    >>> labels({"b": 1, "a": (2, 3)}, ["p", "q", "r"])
    {('a', 0): 'a/p', ('a', 1): 'a/q', ('b',): 'b'}
    """
    found = {}
    paths = [path for path, _ in tree.flatten_with_path(y_pred)]
    if names is None or len(names) != len(paths):
        names = [None] * len(paths)
    for path, name in zip(paths, names, strict=True):
        keys = [key for key in path if isinstance(key, str)]
        if not path or isinstance(path[-1], int):
            keys.append(name)
        found[path] = "/".join(keys) if None not in keys else None
    return found


def output_names(y_pred, names=None) -> list[str | None]:
    """The labels of the outputs, in order."""
    return list(labels(y_pred, names).values())


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
    structures = [jax.tree_util.tree_structure(t) for t in (value, y_pred)]
    if structures[0] == structures[1]:
        leaves = jax.tree_util.tree_leaves(value)
        if all(map(leaf, leaves)):
            return leaves
    if leaf(value):
        return [value] * count
    if isinstance(value, dict):
        return _by_name(value, y_pred, names, what, leaf)
    if isinstance(value, (list, tuple)):
        flat = []
        for item in value:
            nested = isinstance(item, (list, tuple, dict))
            flat.extend(flatten(item, leaf) if nested and not leaf(item) else [item])
        if len(flat) == 1 and count == 1 or len(flat) == count:
            return flat
        raise ValueError(
            f"{what}: the model has {count} output(s) {shown(names)}, but {len(flat)} "
            f"entries were given: {value!r}. Give one for each output (None for none)."
        )
    raise ValueError(
        f"{what}: expected one entry, a list of {count} or a dict by output name "
        f"{shown(names)}, got {value!r}."
    )


def _by_name(value, y_pred, names, what, leaf):
    flat = _flatten_dict(value, leaf)
    known = [n for n in names if n is not None]
    if not known and len(names) == 1 and len(flat) == 1:
        return list(flat.values())
    unknown = [k for k in flat if k not in known]
    if unknown:
        raise ValueError(
            f"Invalid `{what}`: unknown output name(s) {unknown}; the model's outputs "
            f"are {shown(names)}."
        )
    return [flat.get(n) for n in names]


def flatten(value, leaf):
    """The entries of a nest of lists and dicts; `leaf(x)` says what is one."""
    if leaf(value) or not isinstance(value, (list, tuple, dict)):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [x for item in items for x in flatten(item, leaf)]


def _flatten_dict(value, leaf, prefix=""):
    flat = {}
    for key, item in value.items():
        if isinstance(item, dict) and not leaf(item):
            flat |= _flatten_dict(item, leaf, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = item
    return flat


def shown(names):
    """Names for an error message."""
    return [n if n is not None else f"#{i}" for i, n in enumerate(names)]


def align_arrays(value, y_pred, names, what):
    """Targets or sample weights as a list with one array (or None) an output."""
    if value is None:
        return [None] * len(names)

    def is_array(x):
        return x is None or hasattr(x, "shape")

    return align(value, y_pred, names, what, is_array)


def conform(value, y_pred, names, what):
    """Targets or sample weights in the nest of the outputs; None where none are."""
    flat = align_arrays(value, y_pred, names, what)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(y_pred), flat)


def leaf_paths(node):
    """The path of keys and indices to each output of a nest."""
    return [path for path, _ in tree.flatten_with_path(node)]


def pick(node, path):
    """The part of a nest at a path."""
    for key in path:
        is_field = hasattr(node, "_fields") and isinstance(key, str)
        node = getattr(node, key) if is_field else node[key]
    return node


def label_at(labels, path):
    """Label of an output or of a nest of outputs; None where nothing names it."""
    if path in labels:
        return labels[path]
    keys = [k for k in path if isinstance(k, str)]
    if keys:
        return "/".join(keys)
    below = [v for p, v in labels.items() if p[: len(path)] == path]
    return "_".join(below) if all(below) else None
