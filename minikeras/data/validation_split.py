"""The last samples of arrays, for validation."""

import math

import jax

from minikeras.data.arrays import PARTS, as_arrays, count_samples


def train_validation_split(arrays: tuple, validation_split: float) -> tuple:
    """Split off the last samples for validation, without shuffling.

    Args:
        arrays: tuple of structures of arrays, such as `(x, y, sample_weight)`; parts
            may be None.
        validation_split: in (0, 1); the training part has
            floor(samples (1 - validation_split)) samples.

    Returns:
        `(train, validation)`, both in the structure of `arrays`.

    Raises:
        ValueError: a part is no array (but a generator), or a result has no samples.
    """
    arrays = tuple(
        as_arrays(part, name, hint="`validation_split` works on arrays only: ")
        for part, name in zip(arrays, PARTS, strict=False)
    )
    samples = count_samples(arrays)
    cut = math.floor(samples * (1.0 - validation_split))
    if not 0 < validation_split < 1 or not 0 < cut < samples:
        raise ValueError(
            f"validation_split={validation_split} of {samples} samples leaves "
            "training or validation without any. Expected a fraction between 0 and 1 "
            "that gives both at least one sample, or pass `validation_data`."
        )
    train = jax.tree_util.tree_map(lambda a: a[:cut], arrays)
    return train, jax.tree_util.tree_map(lambda a: a[cut:], arrays)
