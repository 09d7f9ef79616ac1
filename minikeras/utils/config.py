"""Config: named values of a program, which can be frozen."""

import json
from collections.abc import Iterator
from typing import Any

from minikeras.core.registry import did_you_mean


class Config:
    """Named values, as attributes and as entries of a dict.

    Names of methods, such as `items`, are no values.

    Args:
        **kwargs: the first values.

    >>> config = Config(rate=0.1)
    >>> config.seed = 3
    >>> config.freeze()
    >>> config["seed"], config.rate, config.to_json()
    (3, 0.1, '{"rate": 0.1, "seed": 3}')
    """

    def __init__(self, **kwargs):
        vars(self).update(_config=kwargs, _frozen=False)

    @property
    def frozen(self):
        """Is every change refused?"""
        return self._frozen

    def freeze(self):
        """Refuse changes from now on."""
        vars(self)["_frozen"] = True

    def unfreeze(self):
        """Allow changes again."""
        vars(self)["_frozen"] = False

    def _values(self) -> dict[str, Any]:
        """The values, to change them; ValueError if frozen."""
        if self._frozen:
            raise ValueError(
                "Cannot mutate attribute(s) because the config is frozen: call "
                "unfreeze() first."
            )
        return self._config

    def as_dict(self):
        """A new dict of the values."""
        return dict(self._config)

    def to_json(self):
        """The values as JSON."""
        return json.dumps(self._config)

    def keys(self):
        """The names."""
        return self._config.keys()

    def values(self):
        """The values."""
        return self._config.values()

    def items(self):
        """The pairs (name, value)."""
        return self._config.items()

    def pop(self, *args):
        """Remove a value and return it.

        Args:
            *args: its name, and what to return if there is none.
        """
        return self._values().pop(*args)

    def update(self, *args, **kwargs):
        """Set values.

        Args:
            *args: a dict, or pairs.
            **kwargs: more values.
        """
        self._values().update(*args, **kwargs)

    def get(self, keyname, value=None):
        """A value.

        Args:
            keyname: its name.
            value: what to return if there is none.
        """
        return self._config.get(keyname, value)

    def __setattr__(self, name, value):
        if hasattr(type(self), name):
            raise AttributeError(
                f"Config: {name!r} is a method; give the value another name."
            )
        self._values()[name] = value

    def __getattr__(self, name):
        if not name.startswith("__") and name in vars(self).get("_config", {}):
            return self._config[name]
        hint = did_you_mean(name, [*vars(self).get("_config", {})])
        raise AttributeError(f"Unknown attribute: '{name}'.{hint}")

    def __setitem__(self, key, item):
        self._values()[key] = item

    def __getitem__(self, key):
        return self._config[key]

    def __delitem__(self, key):
        del self._values()[key]

    def __contains__(self, item):
        return item in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self):
        return len(self._config)

    def __repr__(self):
        return f"<Config {self._config}>"
