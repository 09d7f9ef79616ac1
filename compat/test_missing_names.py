"""A public name of Keras that is not here is one that is called planned."""

import os
import types

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest

import minikeras
from minikeras.core import missing_names as missing

NOT_PLANNED = {("", "src")}
OURS_ALONE = {"datasets.digits"}


@pytest.mark.parametrize("path", sorted({*missing.guarded()} - OURS_ALONE))
def test_names_are_there_or_planned(path):
    theirs, ours = keras, minikeras
    for part in filter(None, path.split(".")):
        theirs, ours = getattr(theirs, part), getattr(ours, part)
    assert isinstance(theirs, types.ModuleType)
    for name in dir(theirs):
        if name[0] == "_" or hasattr(ours, name) or (path, name) in NOT_PLANNED:
            continue
        with pytest.raises(AttributeError, match="it is planned here"):
            getattr(ours, name)
