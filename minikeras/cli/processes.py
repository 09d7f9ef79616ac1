"""The process of a program under `minikeras run`, and those that it spawns.

Such a process runs the program's main module again, by its path or name. It is made to
run `minikeras.cli.spawned` in its place.
"""

import functools
import json
import os
from multiprocessing import spawn

from minikeras import config, utils

VARIABLE = "MINIKERAS_RUN"  # of the environment: what a spawned process is to do
_PYTHONS_OWN = spawn.get_preparation_data


def set_up(max_steps: int | None, is_old: bool) -> None:
    """Put minikeras in the place of Keras, here and in processes spawned from here.

    Args:
        max_steps: batches of each `fit`, `evaluate` and `predict`; None: all.
        is_old: whether to train as Keras 1 and 2 did.
    """
    utils.install_as_keras()
    if is_old:
        from minikeras.legacy import old_rules

        old_rules.install(always=True)
    if max_steps is not None:
        config.set_max_epochs(1)
        config.set_max_steps_per_epoch(max_steps)
    options = {"max_steps": max_steps, "is_old": is_old}
    # multiprocessing and concurrent.futures look it up there for each new process.
    spawn.get_preparation_data = functools.partial(_preparation_data, options)


def _preparation_data(options, name):
    """What a spawned process is told, with ours as its main module."""
    data = _PYTHONS_OWN(name)
    keys = {"init_main_from_name", "init_main_from_path"} & {*data}
    main = {key: data.pop(key) for key in keys}
    if main.get("init_main_from_path", "").endswith(".ipynb"):
        main = {}  # cells have no `if __name__ == "__main__"`
    os.environ[VARIABLE] = json.dumps([options, main])
    return data | {"init_main_from_name": "minikeras.cli.spawned"}
