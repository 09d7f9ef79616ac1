"""Values of the arguments of `fit`, `evaluate` and `predict`."""

from minikeras import settings


def verbosity(verbose):
    """Return `verbose` as 0, 1 or 2; "auto" is 1 where logging is interactive."""
    if verbose == "auto":
        return 1 if settings.is_interactive_logging_enabled() else 2
    if isinstance(verbose, str):
        raise ValueError(f'`verbose` must be 0, 1, 2 or "auto", got {verbose!r}.')
    return int(verbose or 0)


def validation_epochs(freq, epochs):
    """Return the epochs, counted from 1, after which to validate."""
    if isinstance(freq, int):
        return range(freq, epochs + 1, freq)
    if isinstance(freq, (list, tuple, set)):
        return set(freq)
    raise ValueError(
        f"validation_freq: expected an int or a list of epochs, got {freq!r}."
    )


def reject_unknown(method, kwargs):
    """Raise ValueError if keyword arguments are left."""
    # An argument that Keras's `fit` passes to `evaluate`; user code may pass it, too.
    kwargs.pop("_use_cached_eval_dataset", None)
    if kwargs:
        raise ValueError(f"{method}: arguments not recognized: {sorted(kwargs)}.")
