"""Choose the adapter for whatever was passed as `x`."""

from minikeras.data.adapter import Adapter
from minikeras.data.arrays import ArrayAdapter, is_arrays
from minikeras.data.generators import GeneratorAdapter
from minikeras.data.pydataset import PyDataset, PyDatasetAdapter


def get_adapter(
    x,
    y=None,
    sample_weight=None,
    batch_size=None,
    steps=None,
    shuffle=False,
    class_weight=None,
):
    """Wrap a source of data in the adapter for its kind.

    Args:
        x: arrays (also in lists, tuples, dicts), a `PyDataset`, a generator, another
            iterable of batches, or an adapter, which comes back as it is.
        y: targets, with arrays only.
        sample_weight: weights, with arrays only.
        batch_size: samples a batch, with arrays only; default 32.
        steps: batches an epoch, as in `ArrayAdapter`.
        shuffle: see `ArrayAdapter` and `PyDatasetAdapter`.
        class_weight: dict from class number to weight, not with generators.

    Returns:
        An `Adapter`.

    Raises:
        ValueError: no adapter fits, or an argument does not go with the kind of `x`.
    """
    if isinstance(x, Adapter):
        return x
    if is_arrays(x):
        return ArrayAdapter(
            x, y, sample_weight, batch_size, steps, shuffle, class_weight
        )
    if isinstance(x, PyDataset):
        _refuse("PyDataset", y=y, sample_weights=sample_weight)
        return PyDatasetAdapter(x, shuffle, class_weight)
    if hasattr(x, "__iter__") and not isinstance(x, (str, bytes, dict, list, tuple)):
        _refuse("generator", y=y, sample_weights=sample_weight)
        _refuse("generator", class_weight=class_weight)
        return GeneratorAdapter(x)
    raise ValueError(
        f"Unrecognized data type: {type(x).__name__}, {str(x)[:80]!r}. Expected "
        "arrays (NumPy, JAX, pandas, or lists of numbers), lists, tuples or dicts of "
        "them, a PyDataset, a generator, or another iterable of batches."
    )


def _refuse(kind, **arguments):
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed: "
                f"yield it as part of each batch, (x, y, sample_weight). Got a "
                f"{type(value).__name__}."
            )
