"""`image_dataset_from_directory` and its like for text, audio and time series."""

import functools
from typing import Any

import numpy as np

from minikeras.data import audio_files, image_decoding, sequences
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.dataset.per_element import AUTOTUNE
from minikeras.data.directory import read_text
from minikeras.data.file_datasets import (
    Reader,
    check_format,
    dataset_of_files,
    library_of,
)
from minikeras.settings import standardize_data_format

IMAGE_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    format=None,
    verbose=True,
    *,
    on_error="raise",
    decoder="pillow",
):
    """Batches of images from the bmp, gif, jpeg, jpg and png files of a folder.

    Files are decoded in threads, while the model trains. Each epoch has another order.

    Args:
        directory: path of the folder; each folder in it is a class.
        labels: "inferred": from the folders; list of integers, one for each file in
            the order of the paths; or None.
        label_mode: "int": int32 (n,); "binary": float32 (n, 1) of two classes;
            "categorical": one-hot float32; None: no labels.
        class_names: list of the folders to take, in their order; None: all, sorted.
        color_mode: "grayscale", "rgb" or "rgba": 1, 3 or 4 channels.
        batch_size: int; None: samples, not batches.
        image_size: (height, width), or an int for both.
        shuffle: bool; without it, files come in the order of their paths.
        seed: int of the shuffle; a split needs it.
        validation_split: float in (0, 1), the part for validation.
        subset: "training", "validation", or "both": a list of two data sets.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3",
            "lanczos5", "gaussian" or "mitchellcubic".
        follow_links: bool, whether to go into links to folders.
        crop_to_aspect_ratio: bool, whether borders are cut off first.
        pad_to_aspect_ratio: bool, whether black borders are added first.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        format: "tf" for a `tf.data.Dataset`, "grain" for a `grain.IterDataset`; None:
            "tf" if TensorFlow is installed, else a `minikeras.data.Dataset`.
        verbose: bool, whether to print how many files there are.
        on_error: "raise" an error that names a damaged file, or "skip" it.
        decoder: "pillow", or "simplejpeg": faster, slightly different.

    Returns:
        Data set of float32 images in [0, 255], (n, height, width, channels), or of
        `(images, labels)`, with the attributes `class_names` and `file_paths`.

    Raises:
        ValueError: arguments that do not go together, or no files.
        ImportError: the library of `format`, `decoder` or Pillow is missing.
    """
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. Received: "
            f"image_size={image_size}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to "
            "`True`."
        )
    _check_choice("color_mode", color_mode, image_decoding.COLOR_MODES)
    _check_choice("decoder", decoder, image_decoding.DECODERS)
    interpolation = interpolation.lower()
    _check_choice("interpolation", interpolation, image_decoding.INTERPOLATIONS)
    layout = standardize_data_format(data_format)
    read = functools.partial(
        image_decoding.decode_image,
        color_mode=color_mode,
        size=tuple(size),
        interpolation=interpolation,
        crop=crop_to_aspect_ratio,
        pad=pad_to_aspect_ratio,
        data_format=layout,
        decoder=decoder,
    )
    channels = (image_decoding.COLOR_MODES[color_mode],)
    last = layout == "channels_last"
    shape = (*size, *channels) if last else (*channels, *size)
    return dataset_of_files(
        directory,
        Reader("images", IMAGE_FORMATS, read, shape),
        labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, format, verbose, on_error,
    )  # fmt: skip


def _check_choice(name, value, allowed):
    if value not in allowed:
        raise ValueError(
            f"`{name}` must be one of {[*allowed]}. Received: {name}={value!r}"
        )


def text_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    format=None,
    verbose=True,
    *,
    on_error="raise",
):
    """Batches of texts from the txt files of a folder, in UTF-8.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed: as in
            `image_dataset_from_directory`.
        max_length: number of characters, after which a text is cut off; None: none.
        validation_split, subset, follow_links, format, verbose, on_error: as there.

    Returns:
        Data set of object arrays of strings, (n,), or of `(texts, labels)`, with the
        attributes `class_names` and `file_paths`. Of Grain: lists of strings.

    Raises:
        ValueError: arguments that do not go together, or no files.
        ImportError: the library of `format` is missing.
    """
    read = functools.partial(read_text, max_length=max_length)
    return dataset_of_files(
        directory,
        Reader("text files", (".txt",), read, (), "text"),
        labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, format, verbose, on_error,
    )  # fmt: skip


def audio_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    sampling_rate=None,
    output_sequence_length=None,
    ragged=False,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    verbose=True,
    *,
    format=None,
    on_error="raise",
):
    """Batches of audio from the wav, flac and ogg files of a folder.

    Differs from Keras: files are resampled before they get `output_sequence_length`
    samples, so this is the length of the result. Flac and ogg need soundfile.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed: as in
            `image_dataset_from_directory`.
        sampling_rate: int, samples per second of the result; None: those of the file.
        output_sequence_length: number of samples, to which the end is cut off or filled
            with zeros; None: that of the longest in the batch.
        ragged: bool, whether a batch is an object array of arrays of their own lengths.
        validation_split, subset, follow_links, verbose, format, on_error: as there.

    Returns:
        Data set of float32 audio in [-1, 1), (n, samples, channels), or of
        `(audio, labels)`, with the attributes `class_names` and `file_paths`.

    Raises:
        ValueError: arguments that do not go together, or no files.
        ImportError: soundfile or the library of `format` is missing.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError("Cannot set both `ragged` and `output_sequence_length`")
    if sampling_rate is not None:
        is_int = isinstance(sampling_rate, int)
        if not is_int or sampling_rate <= 0:
            what = "be higher than 0" if is_int else "have an integer value"
            raise ValueError(
                f"`sampling_rate` should {what}. Received: {sampling_rate}"
            )
    length = output_sequence_length
    batch = "list" if ragged else "pad" if length is None else "stack"
    read = functools.partial(
        audio_files.decode_audio, rate=sampling_rate, length=length
    )
    made = dataset_of_files(
        directory,
        Reader("audio files", audio_files.FORMATS, read, (length, None), batch),
        labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, format, verbose, on_error,
    )  # fmt: skip
    return tuple(made) if isinstance(made, list) else made


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
    format=None,
):
    """Batches of windows of a time series: data[i], data[i + rate], …

    Args:
        data: (steps, ...) array.
        targets: (steps, ...) array; targets[i] belongs to the window that starts at i.
            None: windows alone.
        sequence_length: int, entries of a window.
        sequence_stride: int, steps from one window to the next.
        sampling_rate: int, steps from one entry of a window to the next.
        batch_size: int; None: windows, not batches.
        shuffle: bool; without it, windows come in the order of time.
        seed: int of the shuffle.
        start_index: int, the first step to use; None: 0.
        end_index: int, the step after the last to use; None: all.
        format: "tf", "grain" or None, as in `image_dataset_from_directory`.

    Returns:
        Data set of (n, sequence_length, ...) arrays, or of `(windows, targets)`.

    Raises:
        ValueError: a number is out of its range.
        ImportError: the library of `format` is missing.
    """
    library = check_format(format)
    count = None if targets is None else len(targets)
    starts = sequences.window_starts(
        len(data), count, sequence_length, sequence_stride, sampling_rate,
        start_index, end_index,
    )  # fmt: skip
    if shuffle:
        seed = np.random.randint(int(1e6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    data = np.asarray(data)[start_index:end_index]
    targets = None if targets is None else np.asarray(targets)[start_index:]
    steps = np.arange(sequence_length) * sampling_rate

    def sample(start: Any, take: Any = np.take) -> Any:
        x = take(data, start[..., None] + steps, axis=0)
        return x if targets is None else (x, take(targets, start, axis=0))

    if library == "grain":
        dataset = library_of("grain").MapDataset.source(starts)
        dataset = dataset.shuffle(seed=seed) if shuffle else dataset
        dataset = dataset.to_iter_dataset()
        dataset = dataset if batch_size is None else dataset.batch(batch_size)
        return dataset.map(sample)
    make, auto = Dataset, AUTOTUNE
    if library == "tf":
        tf = library_of("tf")
        make, auto = tf.data.Dataset, tf.data.AUTOTUNE
        sample = functools.partial(sample, take=tf.gather)
    dataset = make.from_tensor_slices(starts)
    dataset = dataset.shuffle(max(len(starts), 1), seed=seed) if shuffle else dataset
    # Batches of starts: one gather makes a batch of windows.
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    dataset = dataset.map(sample, num_parallel_calls=auto)
    return dataset.prefetch(auto) if library == "tf" else dataset
