"""Config: attributes, entries, freezing, copies."""

import copy
import pickle

import pytest

from minikeras.utils.config import Config


def test_values_are_attributes_and_entries():
    config = Config(b=2, a=1)
    config.c = 3
    config["d"] = [4]
    assert (config.b, config["c"], config.get("x", 5)) == (2, 3, 5)
    assert list(config) == ["a", "b", "c", "d"] and len(config) == 4
    assert [*config.keys()] == ["b", "a", "c", "d"]
    assert dict(config.items()) == config.as_dict()
    assert "a" in config and "x" not in config
    assert config.pop("d") == [4] and config.pop("d", None) is None
    config.update({"e": 1}, f=2)
    del config["f"]
    assert repr(config) == "<Config {'b': 2, 'a': 1, 'c': 3, 'e': 1}>"
    for made in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert made.as_dict() == config.as_dict() and made is not config


def test_a_frozen_one_refuses_changes():
    config = Config(a=1)
    config.freeze()
    assert config.frozen
    changes = [
        lambda: setattr(config, "a", 2),
        lambda: config.update(a=2),
        lambda: config.pop("a"),
        lambda: config.__setitem__("b", 1),
        lambda: config.__delitem__("a"),
    ]
    for change in changes:
        with pytest.raises(ValueError, match="the config is frozen"):
            change()
    config.unfreeze()
    config.a = 2
    assert config.to_json() == '{"a": 2}'


def test_errors():
    config = Config(learning_rate=1)
    with pytest.raises(AttributeError, match="Did you mean 'learning_rate'"):
        config.learning_rat  # noqa: B018
    with pytest.raises(AttributeError, match="'items' is a method"):
        config.items = 3
    assert not hasattr(config, "x")
