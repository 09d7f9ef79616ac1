"""`clear_session`: reset names, the random generator, settings, compiled programs."""

import gc

from minikeras import settings
from minikeras.core.naming import reset_uids
from minikeras.core.scopes import leave_name_scopes
from minikeras.random.seed_generator import reset_global_seed_generator


def clear_session(free_memory: bool = True) -> None:
    """Reset the name counters, open name scopes and the global random generator.

    The default dtype policy, safe mode, logging, filtered tracebacks and flash
    attention get their first values again; `floatx`, `epsilon` and the layout stay.

    Args:
        free_memory: also collect garbage, which frees the compiled programs of models
            that nothing refers to?

    >>> clear_session()
    """
    leave_name_scopes()
    reset_uids()
    reset_global_seed_generator()
    settings.reset_session()
    # A dropped model is in a reference cycle (its `History` and its programs refer to
    # it), so only the collector frees it.
    if free_memory:
        gc.collect()
