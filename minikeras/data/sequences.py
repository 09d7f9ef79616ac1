"""Sequences as arrays: padding, and windows of time series."""

import numpy as np


def pad_sequences(
    sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0
):
    """Sequences of one length, as one array.

    Args:
        sequences: list of sequences; each a list or array, (length, ...).
        maxlen: int, the length; None: that of the longest sequence.
        dtype: of the array. Strings of several lengths need `object`.
        padding: "pre" or "post": where `value` is added to short sequences.
        truncating: "pre" or "post": where long sequences lose entries.
        value: number or string that is added.

    Returns:
        NumPy array, (len(sequences), maxlen, ...).

    Raises:
        ValueError: no list of sequences, unequal shapes of entries, or an unknown mode.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
    [[0, 1], [2, 3], [5, 6]]
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for x in sequences:
        if not hasattr(x, "__len__"):
            raise ValueError(
                f"`sequences` must be a list of iterables. Found non-iterable: {x}"
            )
    for name, mode in (("Padding", padding), ("Truncating", truncating)):
        if mode not in ("pre", "post"):
            raise ValueError(
                f'{name} type "{mode}" not understood: expected "pre" or "post".'
            )
    is_text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}. "
            "You should set `dtype=object` for variable length strings."
        )
    full = [x for x in sequences if len(x)]
    shape = np.asarray(full[0]).shape[1:] if full else ()
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    padded = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for i, x in enumerate(sequences):
        # `x[-0:]` would be all of it.
        start = max(len(x) - maxlen, 0) if truncating == "pre" else 0
        kept = np.asarray(x[start : start + maxlen], dtype=dtype)
        if not len(x):
            continue
        if kept.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is "
                f"different from expected shape {shape}"
            )
        first = 0 if padding == "post" else maxlen - len(kept)
        padded[i, first : first + len(kept)] = kept
    return padded


def window_starts(
    length: int,
    targets: int | None,
    sequence_length: int,
    sequence_stride: int,
    sampling_rate: int,
    start_index: int | None,
    end_index: int | None,
) -> np.ndarray:
    """The first entries of all windows, counted from `start_index`.

    `length` and `targets` are the numbers of steps and of targets; a ValueError names
    a number that is out of its range.

    >>> window_starts(10, None, 3, 2, 2, None, None).tolist()
    [0, 2, 4]
    """
    received = f"Received: start_index={start_index}, end_index={end_index}"
    if start_index and not 0 <= start_index < length:
        bound = "0 or greater" if start_index < 0 else "lower than the length of the"
        raise ValueError(f"`start_index` must be {bound} data, {length}. {received}")
    if end_index and end_index <= (start_index or 0):
        bound = "`start_index`" if start_index else "0"
        raise ValueError(f"`end_index` must be higher than {bound}. {received}")
    if end_index and end_index >= length:
        raise ValueError(
            f"`end_index` must be lower than the length of the data, {length}. "
            f"{received}"
        )
    steps = {"sampling_rate": sampling_rate, "sequence_stride": sequence_stride}
    for name, step in steps.items():
        if not 0 < step < length:
            bound = "higher than 0" if step <= 0 else "lower than the length of the"
            raise ValueError(
                f"`{name}` must be {bound} data, {length}. Received: {name}={step}"
            )
    stop = length if end_index is None else end_index
    count = stop - (start_index or 0) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, targets)
    return np.arange(0, count, sequence_stride)
