"""A fresh process: seconds of the import beside JAX's, and of a first epoch.

python -m compat.bench.cold CONTENDER WORKLOAD
"""

import importlib
import json
import sys
import time


def main(contender, workload):
    """Print {"import": seconds, "first": seconds}."""

    import jax.numpy  # noqa: F401  what all three need is not counted

    from compat.bench.contenders import CONTENDERS, IMPORTS

    start = time.perf_counter()
    importlib.import_module(IMPORTS[contender])
    imported = time.perf_counter()
    CONTENDERS[contender](workload).epochs(1)
    end = time.perf_counter()
    print(json.dumps({"import": imported - start, "first": end - imported}))


if __name__ == "__main__":
    main(*sys.argv[1:])
