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


def match_losses(loss, weight, node, path, labels, is_loss):
    """Which losses, with their weights, belong to which outputs.

    Args:
        loss: a loss, or a nest of losses as `compile` takes it.
        weight: None, a number, or a nest of numbers like `loss`.
        node: the outputs, or the nest of them at `path`.
        path: where in the outputs.
        labels: of `labels()`.
        is_loss: `is_loss(x)` says whether x is one loss, or None.

    Yields:
        (path of an output or nest of outputs, loss, number or None).

    Raises:
        KeyError: a key that names no output.
        ValueError: another number of losses or weights than of outputs.
    """
    if loss is None:
        return
    if is_loss(loss):
        yield path, loss, one_number(weight)
    elif isinstance(loss, dict):
        yield from _match_dict(loss, weight, node, path, labels, is_loss)
    else:
        yield from _match_list(loss, weight, node, path, labels, is_loss)


def _match_dict(loss, weight, node, path, labels, is_loss):
    if isinstance(node, dict):
        for key, inner in loss.items():
            if key not in node:
                raise KeyError(
                    f"The path {'/'.join(map(str, (*path, key)))!r} in the `loss` "
                    "argument, can't be found in either the model's output "
                    f"({list(node)}) or its names."
                )
            inner_weight = _part(weight, key)
            yield from match_losses(
                inner, inner_weight, node[key], (*path, key), labels, is_loss
            )
        return
    leaves = leaf_paths(node)
    names = [label_at(labels, (*path, *p)) for p in leaves]
    if len(leaves) == 1 and names == [None]:
        names = list(loss)
    if set(names) != set(loss):
        raise ValueError(
            f"Expected keys {names} in the `loss` dict, one for each output, but "
            f"found {list(loss)}."
        )
    for leaf, name in zip(leaves, names, strict=True):
        where, part = (*path, *leaf), _part(weight, name)
        output = pick(node, leaf)
        yield from match_losses(loss[name], part, output, where, labels, is_loss)


def _match_list(loss, weight, node, path, labels, is_loss):
    leaves = leaf_paths(node)
    parts = [_part(weight, i) for i in range(len(loss))]
    simple = all(is_loss(x) for x in loss)
    if simple and len(loss) == len(leaves):
        places = leaves
    elif type(node) is type(loss) and len(node) == len(loss):
        places = [(i,) for i in range(len(loss))]
    elif simple and len(leaves) > 1:
        raise ValueError(
            f"loss: the model has {len(leaves)} outputs, but {len(loss)} losses were "
            f"given: {loss!r}. Give one for each (None for none)."
        )
    else:  # several losses of the same outputs
        places = [()] * len(loss)
    for inner, part, place in zip(loss, parts, places, strict=True):
        where = (*path, *place)
        yield from match_losses(inner, part, pick(node, place), where, labels, is_loss)


def _part(weight, key):
    """The weight of one part of the losses."""
    if isinstance(weight, dict):
        if isinstance(key, int):
            return list(weight.values())[key] if key < len(weight) else None
        return weight.get(key)
    if isinstance(weight, (list, tuple)):
        if not isinstance(key, int) or key >= len(weight):
            raise ValueError(
                f"loss_weights: {weight!r} has no weight for the loss {key!r}."
            )
        return weight[key]
    return weight


def one_number(weight):
    """The one number of a list or dict; other weights as they are."""
    if isinstance(weight, (list, tuple, dict)):
        values = list(weight.values()) if isinstance(weight, dict) else list(weight)
        if len(values) != 1:
            raise ValueError(
                f"loss_weights: expected one number for the loss, got {weight!r}."
            )
        return values[0]
    return weight
