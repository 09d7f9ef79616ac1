"""The version of Keras whose API and files these are."""

__version__ = "3.15.1"


def version():
    """The Keras version that this library stands for."""
    return __version__
