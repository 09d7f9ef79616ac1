"""Copies of initializers, for layers that use one setting for several weights."""


def copy_initializer(initializer):
    """A copy that, without a seed, draws other values; a function is returned as it is.

    An initializer draws the same values in each call, also without a seed. As in Keras,
    each further weight takes a copy, so that the weights differ.
    """
    return initializer.clone() if hasattr(initializer, "clone") else initializer
