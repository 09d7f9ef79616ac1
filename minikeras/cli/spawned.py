"""The main module of a process that a program under `minikeras run` spawns.

It puts minikeras in the place of Keras, and then runs the program's own main module, as
Python would have done.
"""

import json
import os
import sys
from multiprocessing import spawn

from minikeras.cli import processes

if __name__ == "__mp_main__":
    _options, _main = json.loads(os.environ[processes.VARIABLE])
    processes.set_up(**_options)
    spawn.prepare(_main)
    if _main:
        globals().update(vars(sys.modules["__main__"]))
