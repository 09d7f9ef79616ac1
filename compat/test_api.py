"""Every public name of Keras: there, of one kind, called alike; or listed, with why."""

import importlib.util
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest

import minikeras
from compat import api_surface as surface

ROOT = Path(__file__).parent.parent


def unlisted(found, listed):
    """What differs and is not on the list, nor in a missing module that is."""
    return {
        name: what
        for name, what in found.items()
        if name not in listed and name.rpartition(".")[0] not in listed
    }


def test_all_names_are_looked_at():
    names = surface.modules()
    assert sum(map(len, names.values())) == 1504
    assert sum(map(len, surface.tensorflow_only().values())) == 173
    for module in names:  # as Python finds them: no name is overlooked
        place = importlib.import_module(f"keras.{module}".rstrip("."))
        public = {n for n in vars(place) if n[0] != "_"} - {"src"}
        assert public == set(names[module]), module


@pytest.mark.parametrize("module", surface.modules())
def test_name_kind_and_signature(module):
    names = {surface.path(module, name) for name in surface.modules()[module]}
    found = {n: what for n, what in surface.differences().items() if n in names}
    assert unlisted(found, surface.reasons(surface.LISTED)) == {}


def test_methods_and_properties():
    found = surface.member_differences()
    listed = surface.reasons(surface.LISTED_MEMBERS)
    counted = {f"{member}:{len(names)}": names for member, names in found.items()}
    assert {n: at for n, at in counted.items() if n not in listed} == {}
    assert set(listed) <= set(counted), "take these off the list, or count again"


def test_names_of_tensorflow_keras():
    found = surface.tensorflow_differences()
    assert unlisted(found, surface.reasons(surface.LISTED_TENSORFLOW)) == {}


def test_names_are_there_in_place_of_keras():
    missing = {n: d[0] for n, d in surface.under_alias().items() if d[0] == "missing"}
    listed = surface.reasons(surface.LISTED) | surface.reasons(surface.LISTED_ALIAS)
    assert unlisted(missing, listed) == {}
    assert set(surface.reasons(surface.LISTED_ALIAS)) <= set(missing)


def test_lists_only_shrink():
    tables = [
        (surface.LISTED, surface.differences()),
        (surface.LISTED_TENSORFLOW, surface.tensorflow_differences()),
    ]
    for listed, found in tables:
        equal = [name for name in surface.reasons(listed) if name not in found]
        assert not equal, f"equal to Keras's now, take them off the list: {equal}"
        names = " ".join(listed.values()).split()
        assert len(names) == len(set(names)), "a name has two reasons"


@pytest.mark.parametrize(
    "change",
    [
        lambda x, axis=1: None,
        lambda x, axes=0: None,
        lambda x: None,
        lambda x, *, axis=0: None,
        type("function", (), {}),
        None,
    ],
)
def test_a_change_is_seen(change):
    theirs = surface.describe(lambda x, axis=0: None)
    assert surface.difference(theirs, theirs) == ""
    assert surface.difference(theirs, surface.describe(change)) != ""


def test_attributes_of_objects():
    """Those that the classes of Keras have and ours do not."""
    optimizer = minikeras.optimizers.SGD()
    attention = minikeras.layers.MultiHeadAttention(2, 3)
    attention.build((None, 4, 5), (None, 4, 5))
    owners = {
        "Variable": minikeras.Variable(1.0),
        "metrics.AUC": minikeras.metrics.AUC(),
        "optimizers.MultiOptimizer": minikeras.optimizers.MultiOptimizer(optimizer),
        "layers.InputLayer": minikeras.layers.InputLayer((3,)),
        "layers.MultiHeadAttention": attention,
    }
    listed = surface.LISTED_MEMBERS["an attribute of objects, not of the class"]
    members = {name.partition(":")[0] for name in listed.split()}
    held = {m for name, o in owners.items() for m in members if hasattr(o, m)}
    assert held == members
    for name, owner in owners.items():
        theirs = members & set(dir(surface.resolve(keras, name)))
        assert [m for m in theirs if not hasattr(owner, m)] == []


def test_the_page_is_that_of_the_names():
    script = ROOT / "scripts" / "build_compatibility_docs.py"
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "compatibility.md").read_text()
    assert module.text() == page, "run `make docs` and commit docs/compatibility.md"
