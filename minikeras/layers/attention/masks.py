"""Which sources a target may attend to: (…, targets, sources) masks of bools."""

import functools

import jax.numpy as jnp


def causal_mask(targets, sources):
    """(1, targets, sources): True where the source is not after the target.

    >>> causal_mask(2, 3).astype(int).tolist()
    [[[1, 0, 0], [1, 1, 0]]]
    """
    return jnp.tril(jnp.ones((1, targets, sources), bool))


def sliding_window_mask(targets, sources, window):
    """(1, targets, sources): True where the two are less than `window` steps apart.

    >>> sliding_window_mask(2, 3, 1).astype(int).tolist()
    [[[1, 0, 0], [0, 1, 0]]]
    """
    distance = jnp.arange(targets)[:, None] - jnp.arange(sources)
    return (jnp.abs(distance) < window)[None]


def combined(masks):
    """True where all of the masks that are not None are; None if all of them are."""
    given = [jnp.asarray(mask).astype(bool) for mask in masks if mask is not None]
    return functools.reduce(jnp.logical_and, given) if given else None


def raised(mask, ndim, last):
    """Put axes of size 1 before the `last` axes, until there are `ndim`.

    Raises:
        ValueError: the mask has fewer than `last` axes.
    """
    if mask.ndim < last:
        raise ValueError(
            f"A mask of attention has at least {last} axes, those of targets and of "
            f"sources, got one of shape {tuple(mask.shape)}."
        )
    where = mask.ndim - last
    return jnp.expand_dims(mask, range(where, where + ndim - mask.ndim))
