"""What changes how configs are written and read, for the length of a call."""

from typing import Any, NamedTuple


class SerializationSettings(NamedTuple):
    """How configs are written and read within a call.

    Attributes:
        custom_objects: tables {name: class or function}, the innermost last.
        safe_mode: False lets lambdas of a config run; None: as the setting says.
        shared: {id: object} of the objects met so far; None: nothing is shared.
        live: in a copy within this process, {number: function} and {names in the
            config: class} of the original; None: no copy is made.
    """

    custom_objects: tuple[dict[str, Any], ...] = ()
    safe_mode: bool | None = None
    shared: dict | None = None
    live: dict | None = None
