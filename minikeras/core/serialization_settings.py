"""The settings of a call that writes or reads configs."""

from typing import Any, NamedTuple


class SerializationSettings(NamedTuple):
    """How configs are written and read within a call.

    Attributes:
        custom_objects: tables {name: class or function}, the innermost last.
        safe_mode: False lets lambdas of a config run; None: as the setting says.
        seen_objects: of the objects so far, {id: (config, object)} while writing and
            {id in the config: object} while reading; None: an object that occurs twice
            becomes two.
        originals: while a copy is made within this process, {number: function} and
            {(module, class_name, registered_name): class} of the original; else None.
        loading: the `Loading` of the file that is read, the `Deferral` in which a
            network is built, or None.
    """

    # A NamedTuple, because the frames of several threads may share it: scopes make a
    # new one with `_replace`.

    custom_objects: tuple[dict[str, Any], ...] = ()
    safe_mode: bool | None = None
    seen_objects: dict | None = None
    originals: dict | None = None
    loading: Any = None
