"""Old names and other libraries' names, for scripts written for them."""

from minikeras.legacy import saving

__all__ = ["saving"]
