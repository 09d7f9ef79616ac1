"""Messages to the user, and whether they go to the terminal or to the log."""

from minikeras.core.printing import print_msg
from minikeras.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)

__all__ = [
    "disable_interactive_logging",
    "enable_interactive_logging",
    "is_interactive_logging_enabled",
    "print_msg",
]
