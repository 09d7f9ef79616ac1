"""Weights in several files: `x.weights.json` says which file has which weights.

Its `weight_map` is {"/layers/dense/vars": ["x_00000.weights.h5", ...]}; the weights of
one object may lie in several shards.
"""

import contextlib
import json
import pathlib
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from minikeras.core.late_import import late_import
from minikeras.saving import atomic_files, h5_weights, safety
from minikeras.saving.errors import FileError

_GIB = 1 << 30
_TRIES = 20  # to open shards while others are saved
_ENDING = ".weights.json"


def write(
    model: Any, path: pathlib.Path, max_shard_size: float, skip: Iterable[Any] = ()
) -> None:
    """Write the weights of a model as shards and a table.

    Args:
        model: the model.
        path: of the table, which ends in `.weights.json`; the shards lie beside it.
        max_shard_size: size of the largest shard, in GiB.
        skip: objects that are left out.

    Raises:
        ValueError: one weight alone is larger.
    """
    with atomic_files.alone(path):
        _write(h5_weights.entries(model, skip=skip), path, max_shard_size * _GIB)


def _write(entries, path, limit):
    shards, table = _plan(entries, limit)
    old = _old_names(path)
    # Until there is a new table, the old one needs its shards: new ones take the other
    # of two series of names.
    stem = path.name.removesuffix(_ENDING)
    series = "b" if any(name.startswith(f"{stem}_0") for name in old) else ""
    names = [f"{stem}_{series}{number:05d}.weights.h5" for number in range(len(shards))]
    for name, groups in zip(names, shards, strict=True):
        with atomic_files.replace_file(path.parent / name) as file:
            with late_import("h5py").File(file, "w") as h5:
                h5_weights.write(h5, groups)
    total = sum(
        value.nbytes
        for groups in shards
        for *_, own in groups
        for value in own.values()
    )
    weight_map = {f"/{group}": [names[i] for i in where] for group, where in table}
    # The number tells a reader whether the table is still that of the shards it opened.
    metadata = {"total_size": total, "save": secrets.token_hex(8)}
    content = {"metadata": metadata, "weight_map": weight_map}
    with atomic_files.replace_file(path) as file:
        file.write(json.dumps(content, indent=4).encode())
    # The old table may name other files, which are not ours to delete.
    shard = re.compile(rf"{re.escape(stem)}_b?\d{{5}}\.weights\.h5")
    for name in filter(shard.fullmatch, old - {*names}):
        (path.parent / name).unlink(missing_ok=True)


def _old_names(path):
    """The names of the shards of the table that will be replaced."""
    try:
        return {*_shard_names(_read_table(path))} if path.exists() else set()
    except FileError:  # a damaged table names no shards that somebody could read
        return set()


def _plan(entries, limit):
    """The shards, as lists of groups, and [(group, numbers of its shards)]."""
    shards, used, table = [[]], 0, []
    for group, name, arrays in entries:
        own = {}
        shards[-1].append((group, name, own))
        where = []
        for key, value in arrays.items():
            if value.nbytes > limit:
                raise ValueError(
                    f"save_weights: the weight {group}/{key} of {value.nbytes} bytes "
                    f"exceeds the maximum shard size of {limit:.0f} bytes. Give a "
                    "larger `max_shard_size`, in GiB."
                )
            if used + value.nbytes > limit:
                own, used = {}, 0
                shards.append([(group, name, own)])
            own[key] = value
            used += value.nbytes
            if not where or where[-1] != len(shards) - 1:
                where.append(len(shards) - 1)
        if where:
            table.append((group, where))
    return shards, table


@contextlib.contextmanager
def open_groups(path: pathlib.Path) -> Iterator[tuple[dict, int]]:
    """Open the shards that a table names.

    Args:
        path: of the table.

    Yields:
        {group: {key: data set}}, and the number of scalars in all shards.

    Raises:
        FileError: the table is damaged, or names a file that is not beside it.
    """
    with contextlib.ExitStack() as stack:
        files = _open_shards(path, stack)
        merged: dict[str, dict[str, Any]] = {}
        elements = 0
        for name, file in files.items():
            opened = safety.open_h5_contents(file, name)
            _, contents = stack.enter_context(opened)
            elements += contents.elements
            for group, datasets in contents.groups.items():
                own = merged.setdefault(group, {})
                if twice := own.keys() & datasets.keys():
                    fault = f"Two shards have the weights {sorted(twice)}."
                    raise FileError(fault, place=group)
                own.update(datasets)
        yield merged, elements


def _open_shards(path, stack):
    """{name: open file} of the shards of one save; again if another one comes."""
    for attempt in range(_TRIES):
        table, own = _read_table(path), contextlib.ExitStack()
        try:
            files = {
                name: own.enter_context(safety.open_regular(path.parent / name, False))
                for name in _shard_names(table)
            }
        except FileError:
            own.close()
            if attempt == _TRIES - 1 or _read_table(path) == table:
                raise
            continue
        if _read_table(path) == table:
            stack.enter_context(own)
            return files
        own.close()
    raise FileError("Other saves replace it again and again.")


def _read_table(path):
    with safety.open_regular(path) as file:
        size = safety.size_of(file)
        return safety.parse_json(safety.read_all(file, size, size, path.name))


def _shard_names(content):
    """The names of all shards, in order, without repetition."""
    table = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(table, dict):
        raise FileError("It is no table of shards: it has no `weight_map`.")
    names: dict[str, None] = {}
    for group, files in table.items():
        files = [files] if isinstance(files, str) else files
        if not isinstance(files, list):
            raise FileError("Its shards are no list of names.", place=group)
        for name in files:
            if not isinstance(name, str) or pathlib.PurePath(name).name != name:
                fault = f"Refused: the shard {name!r} does not lie beside the table."
                raise FileError(fault, place=group)
            names[name] = None
    return names
