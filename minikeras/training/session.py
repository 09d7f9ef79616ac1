"""Start again: names, the global random generator, settings, compiled programs."""

import gc

from minikeras import settings
from minikeras.core.naming import reset_uids
from minikeras.core.scopes import leave_name_scopes
from minikeras.random.seed_generator import reset_global_seed_generator


def clear_session(free_memory=True):
    """Forget the name counters, open name scopes and the global random generator.

    The default dtype policy, safe mode, logging, filtered tracebacks and flash
    attention are as at the start again; `floatx`, `epsilon` and the layout stay.

    Args:
        free_memory: also collect garbage and let JAX drop its compiled programs?
    """
    leave_name_scopes()
    reset_uids()
    reset_global_seed_generator()
    settings.reset_session()
    if free_memory:
        gc.collect()
