"""The version of this project, and that of the Keras whose API and files it has."""

__version__ = "0.1.0"
KERAS_VERSION = "3.15.1"


def version() -> str:
    """The Keras version that scripts find: that of the API and of the files."""
    return KERAS_VERSION
