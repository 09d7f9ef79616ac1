"""Find out which loss, metric, target or weight belongs to which output of a model.

The outputs of a model are an array or any nest of them. Losses, metrics, targets and
weights may have the same nest, or be a list in the order of the outputs, or a dict by
output name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax

from minikeras.core import tree
from minikeras.core.call_errors import WITH_TEXT, brief

Labels = Mapping[tuple, Any]  # {path of an output: its name, or None}


def output_leaves(y_pred: Any) -> list:
    """The outputs, flattened."""
    return jax.tree_util.tree_leaves(y_pred)


def labels(
    y_pred: Any, names: Sequence[str | None] | None = None
) -> dict[tuple, str | None]:
    """{path: label} of the outputs: their paths; a name replaces the index of the last.

    Args:
        y_pred: the outputs, a nest.
        names: the model's names of its outputs, in order; None: it has none.

    >>> labels({"b": 1, "a": (2, [3])}, ["p", "q", "r"])
    {('a', 0): 'a/p', ('a', 1, 0): 'a/1/q', ('b',): 'b'}
    """
    found = {}
    paths = [path for path, _ in tree.flatten_with_path(y_pred)]
    if names is None or len(names) != len(paths):
        names = [None] * len(paths)
    for path, name in zip(paths, names, strict=True):
        in_list = not path or isinstance(path[-1], int)
        keys = [*path[:-1], name] if in_list else path
        found[path] = "/".join(map(str, keys)) if None not in keys else None
    return found


def output_names(
    y_pred: Any, names: Sequence[str | None] | None = None
) -> list[str | None]:
    """The labels of the outputs, in order."""
    return list(labels(y_pred, names).values())


def align(
    value: Any,
    y_pred: Any,
    names: Sequence[str | None],
    what: str,
    leaf: Callable[[Any], bool],
) -> list:
    """Turn `value` into a list with one entry for each output.

    Args:
        value: one leaf, a list by position, a dict by name, or the outputs' nest.
        y_pred: the outputs.
        names: of `output_names`.
        what: name of the value, for errors.
        leaf: is its argument an entry for one output?

    Raises:
        ValueError: wrong length or unknown names.
    """
    # The same nest comes first: a list of lists could also be read as a list by
    # position, with other entries.
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
    """`align` for a dict: the entries in the order of the outputs."""
    flat = _flatten_dict(value, leaf)
    known = [n for n in names if n is not None]
    # An only output without a name takes the one entry, whatever its key.
    if not known and len(names) == 1 and len(flat) == 1:
        return list(flat.values())
    unknown = [k for k in flat if k not in known]
    if unknown:
        raise ValueError(
            f"Invalid `{what}`: unknown output name(s) {unknown}; the model's outputs "
            f"are {shown(names)}."
        )
    return [flat.get(n) for n in names]


def flatten(value: Any, leaf: Callable[[Any], bool]) -> list:
    """The entries of a nest of lists and dicts: all x with `leaf(x)`."""
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


def shown(names: Sequence[str | None]) -> list[str]:
    """Names of outputs for an error message; `#1` for one without a name."""
    return [n if n is not None else f"#{i}" for i, n in enumerate(names)]


def align_arrays(
    value: Any, y_pred: Any, names: Sequence[str | None], what: str
) -> list:
    """Turn targets or sample weights into a list of one array (or None) an output."""
    if value is None:
        return [None] * len(names)

    def is_array(x):
        return x is None or hasattr(x, "shape")

    return align(value, y_pred, names, what, is_array)


def conform(value: Any, y_pred: Any, names: Sequence[str | None], what: str) -> Any:
    """Bring targets or sample weights into the outputs' nest; None where none are."""
    flat = align_arrays(value, y_pred, names, what)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(y_pred), flat)


def leaf_paths(node: Any) -> list[tuple]:
    """The path of keys and indices to each output of a nest."""
    return [path for path, _ in tree.flatten_with_path(node)]


def pick(node: Any, path: tuple) -> Any:
    """The part of a nest at a path."""
    for key in path:
        # The fields of a namedtuple are attributes, not items.
        is_field = hasattr(node, "_fields") and isinstance(key, str)
        node = getattr(node, key) if is_field else node[key]
    return node


def label_at(labels: Labels, path: tuple) -> str | None:
    """The label of an output or of a nest of outputs; None where nothing names it."""
    if path in labels:
        return labels[path]
    keys = [k for k in path if isinstance(k, str)]
    if keys:
        return "/".join(keys)
    below = [v for p, v in labels.items() if p[: len(path)] == path]
    return "_".join(below) if all(below) else None


def match_losses(
    loss: Any,
    weight: Any,
    node: Any,
    path: tuple,
    labels: Labels,
    is_loss: Callable[[Any], bool],
) -> Iterator[tuple[tuple, Any, Any]]:
    """Assign losses, with their weights, to outputs.

    Args:
        loss: a loss, or a nest of losses as `compile` takes it.
        weight: None, a number, or a nest of numbers like `loss`.
        node: the outputs, or the nest of them at `path`.
        path: path of `node` in the outputs; `()` for all of them.
        labels: of `labels()`.
        is_loss: is its argument one loss, or None?

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
    """`match_losses` for a dict of losses."""
    # The keys are those of a dict of outputs, or else the names of outputs.
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
    """`match_losses` for a list of losses."""
    leaves = leaf_paths(node)
    parts = [_part(weight, i) for i in range(len(loss))]
    simple = all(is_loss(x) for x in loss)
    if simple and len(loss) == len(leaves):
        places = leaves
    elif type(node) is type(loss) and len(node) == len(loss):
        places = [(i,) for i in range(len(loss))]
    elif simple and len(leaves) > 1:
        # Keras silently trains only some outputs; most likely a loss was forgotten.
        raise ValueError(
            f"loss: the model has {len(leaves)} outputs, but {len(loss)} losses were "
            f"given: {loss!r}. Give one for each (None for none)."
        )
    else:
        # Several losses of one output, or of all outputs together.
        places = [()] * len(loss)
    for inner, part, place in zip(loss, parts, places, strict=True):
        where = (*path, *place)
        yield from match_losses(inner, part, pick(node, place), where, labels, is_loss)


def _part(weight, key):
    """The weight of one part of the losses."""
    # A dict of weights may go with a list of losses, too: by its order.
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


def one_number(weight: Any) -> Any:
    """The one number in a list or dict; other weights unchanged."""
    if isinstance(weight, (list, tuple, dict)):
        values = list(weight.values()) if isinstance(weight, dict) else list(weight)
        if len(values) != 1:
            raise ValueError(
                f"loss_weights: expected one number for the loss, got {weight!r}."
            )
        return values[0]
    return weight


def with_pair(error: Exception, what: str, target: Any, output: Any) -> Exception:
    """The error to raise for one about shapes: it names targets and outputs.

    Args:
        error: of any type; one that does not speak of shapes is returned as it is.
        what: what was computed, such as "The loss of output 'head'".
        target, output: nests of arrays.
    """
    # JAX's error names operands; ours says which one is the targets.
    if type(error) not in WITH_TEXT or "shape" not in str(error):
        return error
    pair = f"targets {brief(target)} do not go with outputs {brief(output)}."
    named = ValueError(f"{what}: {pair} ({error})")
    named.__cause__ = error
    return named
