"""Which files a folder holds, with labels, in Keras's order."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minikeras.core.printing import print_msg

LABEL_MODES = ("int", "categorical", "binary", None)


class Files(NamedTuple):
    """Paths, an integer for each or None, and the names of the classes or None."""

    paths: list
    labels: Any
    class_names: Any


def check_labels(labels: Any, label_mode: Any, class_names: Any) -> None:
    """ValueError for labels, modes and names that do not go together."""
    is_list = isinstance(labels, (list, tuple))
    if not (is_list or labels is None or labels == "inferred"):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, one for each "
            'file, or "inferred": from the folders, or None. Received: '
            f"labels={labels}"
        )
    if is_list and class_names:
        raise ValueError(
            'You can only pass `class_names` if `labels="inferred"`. Received: '
            f"labels={labels}, and class_names={class_names}"
        )
    if label_mode not in LABEL_MODES:
        raise ValueError(
            '`label_mode` argument must be one of "int", "categorical", "binary", or '
            f"None. Received: label_mode={label_mode}"
        )


def check_split(validation_split: Any, subset: Any, shuffle: Any, seed: Any) -> None:
    """ValueError for arguments of a split that do not go together."""
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, received: {validation_split}"
        )
    if bool(validation_split) != bool(subset):
        raise ValueError(
            "If `subset` is set, `validation_split` must be set, and inversely."
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            '`subset` must be either "training", "validation" or "both", received: '
            f"{subset}"
        )
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a "
            "`seed` argument: else both subsets may hold the same files."
        )


def index_directory(
    directory: Any,
    labels: Any,
    formats: tuple[str, ...],
    class_names: Any = None,
    shuffle: bool = True,
    seed: int | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Files:
    """Find the files of a folder whose names end with one of `formats`.

    Classes, folders and files come in the order of their names. With `shuffle` Keras's
    draw mixes them: one of `RandomState(seed)` for the paths, the same for the labels.
    """
    directory = os.fspath(directory)
    folders = [""]
    if labels == "inferred":
        folders = _classes(directory, class_names)
    elif class_names is not None:
        raise ValueError(
            "`class_names` cannot be specified "
            + ("when `labels=None`." if labels is None else "with a list of labels.")
        )
    paths, found = [], []
    for number, folder in enumerate(folders):
        place = os.path.join(directory, folder)
        files = list(_valid_files(place, formats, follow_links))
        paths += files
        found += [number] * len(files)
    names: Any = folders
    if labels is None:
        found = names = None
    elif labels == "inferred":
        found = np.array(found, "int32")
    elif len(labels) != len(paths):
        raise ValueError(
            "Expected the lengths of `labels` to match the number of files in the "
            f"target directory. len(labels) is {len(labels)} while we found "
            f"{len(paths)} files in directory {directory}."
        )
    else:
        found, names = list(labels), [str(label) for label in sorted({*labels})]
    if verbose:
        classes = "" if names is None else f" belonging to {len(names)} classes"
        print_msg(f"Found {len(paths)} files{classes}.")
    if shuffle:
        seed = np.random.randint(int(1e6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(paths)
        if found is not None:
            np.random.RandomState(seed).shuffle(found)
    return Files(paths, found, names)


def _classes(directory, class_names):
    folders = [
        name
        for name in sorted(os.listdir(directory))
        if os.path.isdir(os.path.join(directory, name)) and name[0] != "."
    ]
    if class_names is None:
        return folders
    if not {*class_names} <= {*folders}:
        raise ValueError(
            "The `class_names` passed did not match the names of the subdirectories "
            f"of the target directory. Expected: {folders} (or a subset of it), but "
            f"received: class_names={class_names}"
        )
    return list(class_names)


def _valid_files(folder, formats, follow_links) -> Iterator[str]:
    walk = os.walk(folder, followlinks=follow_links)
    for root, _, names in sorted(walk, key=lambda entry: entry[0]):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.join(root, name)


def take_subset(files: Files, validation_split: Any, subset: Any) -> Files:
    """The files for "training", or those for "validation", at the end."""
    if not validation_split:
        return files
    count = len(files.paths)
    # Keras takes [:-n], which is nothing for n = 0 (its issue 23202).
    cut = count - int(validation_split * count)
    is_training = subset == "training"
    part = slice(cut) if is_training else slice(cut, None)
    purpose = "training" if is_training else "validation"
    print_msg(f"Using {cut if is_training else count - cut} files for {purpose}.")
    labels = None if files.labels is None else files.labels[part]
    return Files(files.paths[part], labels, files.class_names)


def encode_labels(labels: Any, label_mode: Any, num_classes: int) -> np.ndarray:
    """Labels as arrays: int32 (n,); "binary" float32 (n, 1); or one-hot float32.

    >>> encode_labels([2, 0], "categorical", 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = np.asarray(labels)
    if label_mode == "binary":
        return labels.astype("float32")[:, None]
    if label_mode == "categorical":
        return (labels[:, None] == np.arange(num_classes)).astype("float32")
    return labels.astype("int32")


def read_text(path: Any, max_length: int | None = None) -> str:
    """The content of a text file in UTF-8, at most `max_length` characters."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(-1 if max_length is None else max_length)
    except UnicodeDecodeError as error:
        raise ValueError(f"{os.fspath(path)!r} is not UTF-8: {error}") from error
