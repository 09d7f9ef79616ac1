"""A fresh process: import, first epoch, peak memory; or building a ResNet50.

python -m compat.bench.cold CONTENDER WORKLOAD [LOOP]
"""

import importlib
import json
import resource
import sys
import time

from compat.bench.contenders import CONTENDERS


def peak_bytes():
    """The most memory that this process ever had."""
    try:
        with open("/proc/self/status") as lines:
            found = [line for line in lines if line.startswith("VmHWM")]
        return int(found[0].split()[1]) * 1024
    except (OSError, IndexError):
        # In bytes on macOS. On Linux it counts the parent before the start, too.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def device_bytes():
    """The most memory that JAX had on its device; None where nobody counts."""
    import jax

    stats = jax.devices()[0].memory_stats()
    return stats and stats.get("peak_bytes_in_use")


def epochs(entry, workload, loop):
    """Seconds from the import to the end of the first epoch; memory after three."""
    begin = time.perf_counter()
    options = {"loops": (loop,)} if loop != "fit" else {}
    contender = entry.make(workload, **options)
    contender.epochs(1)
    found = {"first": time.perf_counter() - begin}
    contender.epochs(2)
    found["peak"] = peak_bytes()
    if entry.jax and device_bytes():
        found["device peak"] = device_bytes()
    return found


def resnet50(package):
    """Seconds to build a ResNet50, and to build it and read its weights."""
    make = importlib.import_module(package).applications.ResNet50
    begin = time.perf_counter()
    model = make(weights=None)
    built = time.perf_counter()
    weights = model.get_weights()
    end = time.perf_counter()
    assert sum(w.size for w in weights) > 25e6
    return {"build": built - begin, "weights": end - begin}


def main(who, workload, loop="fit"):
    """Print {measure: value}."""
    entry = CONTENDERS[who]
    begin = time.perf_counter()
    for name in entry.imports:
        importlib.import_module(name)
    found = {"import": time.perf_counter() - begin}
    if workload == "resnet50":
        found |= resnet50(entry.imports[0])
    else:
        found |= epochs(entry, workload, loop)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
