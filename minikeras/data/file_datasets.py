"""From the files of a folder to a `Dataset`, a tf.data or a Grain data set."""

import functools
import importlib.machinery
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data import directory
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.dataset.per_element import AUTOTUNE
from minikeras.data.directory import Files


class Reader(NamedTuple):
    """How a file becomes a sample.

    Attributes:
        kind: what the files are: "images", "text files" or "audio files".
        formats: endings of their names.
        read: function of a path; the array, or a string.
        shape: of the array; None in it: any size.
        batch: "stack", "pad" (with zeros, to the longest), "list" or "text".
    """

    kind: str
    formats: tuple
    read: Callable
    shape: tuple
    batch: str = "stack"


def installed(name: str) -> bool:
    """Can the package be imported? Nothing is imported for that."""
    # Not `importlib.util.find_spec`, which also finds stand-ins for packages.
    return importlib.machinery.PathFinder.find_spec(name) is not None


def check_format(format: Any) -> str:
    """The format of a data set: "minikeras", "tf" or "grain"; ValueError for others."""
    if format is None:
        return "tf" if installed("tensorflow") else "minikeras"
    if format not in ("tf", "grain", "minikeras"):
        raise ValueError(
            '`format` should be either "tf" or "grain", or None for a Dataset. '
            f"Received: format={format}"
        )
    return format


def library_of(format: str) -> Any:
    """TensorFlow or Grain, for the formats of this name."""
    package = {"tf": "tensorflow"}.get(format, format)
    if not installed(package):
        raise ImportError(
            f"format={format!r} needs {package}: pip install {package}. Without "
            "`format` you get a minikeras.data.Dataset, which `fit` takes too."
        )
    return late_import(package)


def dataset_of_files(
    folder: Any, reader: Reader, labels, label_mode, class_names, batch_size, shuffle,
    seed, validation_split, subset, follow_links, format, verbose, on_error,
) -> Any:  # fmt: skip
    """Find the files of a folder, and make a data set of them, or a list of two."""
    directory.check_labels(labels, label_mode, class_names)
    directory.check_split(validation_split, subset, shuffle, seed)
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error: expected 'raise' or 'skip', got {on_error!r}.")
    format = check_format(format)
    seed = np.random.randint(int(1e6)) if seed is None else seed
    labels = None if label_mode is None else labels
    files = directory.index_directory(
        folder, labels, reader.formats, class_names, shuffle, seed,
        follow_links, verbose,
    )  # fmt: skip
    mode = None if files.labels is None else label_mode
    _check_classes(files, labels, mode)
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        taken = directory.take_subset(files, validation_split, part)
        if not taken.paths:
            which = f"{part} " if subset == "both" else ""
            raise ValueError(
                f"No {which}{reader.kind} found in directory {folder}. Allowed "
                f"formats: {reader.formats}"
            )
        # As in Keras, the second of two data sets is not mixed again in each epoch.
        shuffle = shuffle and (subset, part) != ("both", "validation")
        samples = _Samples(taken, reader, mode, on_error == "skip")
        make = _with_grain if format == "grain" else _with_verbs
        dataset = make(samples, seed if shuffle else None, batch_size, format)
        dataset.class_names, dataset.file_paths = taken.class_names, taken.paths
        made.append(dataset)
    return made if subset == "both" else made[0]


def _check_classes(files: Files, labels, mode):
    if mode == "binary" and len(files.class_names) != 2:
        raise ValueError(
            'When passing `label_mode="binary"`, there must be exactly 2 class_names. '
            f"Received: class_names={files.class_names}"
        )
    if labels == "inferred" and files.paths:
        numbers = {*np.asarray(files.labels).tolist()}
        empty = [n for i, n in enumerate(files.class_names) if i not in numbers]
        if empty:
            warnings.warn(
                f"These folders count as classes and hold no files: {empty}. Delete "
                "them, or give `class_names`.",
                stacklevel=4,
            )


class _Samples:
    """Sample i: the content of file i, or (content, label)."""

    def __init__(self, files: Files, reader: Reader, mode, skip: bool):
        self.paths, self.reader, self.skip = files.paths, reader, skip
        self.labels = None
        if mode is not None:
            names = files.class_names
            self.labels = directory.encode_labels(files.labels, mode, len(names))

    def __len__(self):
        return len(self.paths)

    def __call__(self, index):
        """The sample; None if the file is damaged and to be skipped."""
        try:
            x = self.reader.read(self.paths[index])
        except (ValueError, OSError) as error:  # OSError: a dangling link, say
            if not self.skip:
                raise
            warnings.warn(f"skipped: {error}", stacklevel=2)
            return None
        return x if self.labels is None else (x, self.labels[index])

    def parts(self, index):
        """The sample as a tuple, with the flag whether the file was good."""
        sample = self(index)
        if damaged := sample is None:
            shape = tuple(n or 0 for n in self.reader.shape)
            x = "" if self.reader.batch == "text" else np.zeros(shape, "float32")
            sample = x if self.labels is None else (x, self.labels[index])
        parts = sample if isinstance(sample, tuple) else (sample,)
        return (*parts, not damaged) if self.skip else parts


def _object(x):
    """An array of one object: what has no shape in common is stacked so."""
    box = np.empty((), object)
    box[()] = x
    return box


def _with_verbs(samples: _Samples, seed, batch_size, library: str) -> Any:
    """A data set of tf.data, or one of ours, which has the same verbs."""
    reader, n = samples.reader, len(samples)
    make, auto, sample = Dataset, AUTOTUNE, functools.partial(_for_numpy, samples)
    if library == "tf":
        tf = library_of("tf")
        make, auto = tf.data.Dataset, tf.data.AUTOTUNE
        sample = functools.partial(_for_tensorflow, tf, samples)
    dataset = make.from_tensor_slices(np.arange(n))
    if seed is not None:
        dataset = dataset.shuffle(n, seed=seed)
    dataset = dataset.map(sample, num_parallel_calls=auto)
    if samples.skip:
        dataset = dataset.filter(lambda *parts: parts[-1])
        dataset = dataset.map(lambda *parts: _unpacked(parts[:-1]))
    if batch_size is not None:
        pad = reader.batch == "pad"
        dataset = (dataset.padded_batch if pad else dataset.batch)(batch_size)
    return dataset.prefetch(auto) if library == "tf" else dataset


def _unpacked(parts):
    return parts if len(parts) > 1 else parts[0]


def _for_numpy(samples, index):
    x, *rest = samples.parts(index)
    x = _object(x) if samples.reader.batch in ("text", "list") else x
    return _unpacked((x, *rest))


def _for_tensorflow(tf, samples, index):
    """The sample as tensors: TensorFlow calls back for each file."""
    is_text = samples.reader.batch == "text"
    kinds, shapes = [tf.string if is_text else tf.float32], [samples.reader.shape]
    if samples.labels is not None:
        kinds.append(tf.as_dtype(samples.labels.dtype))
        shapes.append(samples.labels.shape[1:])
    if samples.skip:
        kinds.append(tf.bool)
        shapes.append(())
    parts = tf.numpy_function(samples.parts, [index], kinds)
    for part, shape in zip(parts, shapes, strict=True):
        part.set_shape(shape)
    if samples.reader.batch == "list":
        parts[0] = tf.RaggedTensor.from_tensor(parts[0])
    return _unpacked(tuple(parts))


def _with_grain(samples: _Samples, seed, batch_size, library: str) -> Any:
    """A `grain.IterDataset`, in the order of Keras's."""
    grain = library_of(library)
    dataset = grain.MapDataset.source(range(len(samples)))
    if seed is not None:
        dataset = dataset.shuffle(seed=seed)
    dataset = dataset.map(samples).to_iter_dataset()  # which leaves out None
    if batch_size is None:
        return dataset
    stack = functools.partial(_stack, samples.reader.batch)
    return dataset.batch(batch_size, batch_fn=stack)


def _stack(kind, rows):
    if isinstance(rows[0], tuple):
        x, labels = zip(*rows, strict=True)
        return _stack(kind, x), np.stack(labels)
    if kind in ("text", "list"):
        return list(rows)
    if kind == "pad":
        longest = max(map(len, rows))
        rows = [np.pad(x, ((0, longest - len(x)), (0, 0))) for x in rows]
    return np.stack(rows)
