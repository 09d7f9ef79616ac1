"""Bool masks (…, targets, sources): True where a target may attend to a source."""

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


def combine_masks(masks):
    """The logical and of all masks that are not None; None if all of them are None."""
    present = [jnp.asarray(mask).astype(bool) for mask in masks if mask is not None]
    return functools.reduce(jnp.logical_and, present) if present else None


def expand_mask(mask, ndim, last):
    """Insert axes of size 1 before the `last` axes, up to `ndim` axes.

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
