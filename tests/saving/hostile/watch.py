"""What a call does to the rest of the system: files, imports, code, memory, time.

Python's own audit events show what Python opens, imports and runs. HDF5 opens files in
C, without an event, so the kernel is asked for opens in the folder that lies outside.
"""

import contextlib
import ctypes
import faulthandler
import importlib
import os
import pathlib
import resource
import site
import sys
import sysconfig

# Packages on which the package stands; their parts are imported when first used.
_OWN = {"minikeras", "jax", "jaxlib", "numpy", "h5py", "ml_dtypes", "optax", "scipy"}
_OWN |= {"safetensors", "opt_einsum"}
_FORBIDDEN = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork"),
    *("pickle.", "ctypes.dlopen", "shutil.unpack", "urllib.", "webbrowser."),
)
_IN_OPEN, _IN_CREATE, _IN_NONBLOCK = 0x20, 0x100, 0x800


def _libraries():
    """Folders of Python, its packages and this one."""
    found = {*sysconfig.get_paths().values(), *site.getsitepackages(), sys.prefix}
    found |= {sys.base_prefix, str(pathlib.Path(__file__).parents[3])}
    found |= {os.environ.get("JAX_COMPILATION_CACHE_DIR") or sys.prefix}
    return tuple(os.path.realpath(path) for path in found)


class Watch:
    """Record what calls do outside of `inside`.

    Args:
        inside: the folder of the files that are read.
        outside: a folder with files that nothing may open.
    """

    def __init__(self, inside, outside):
        self.events = None
        self._allowed = (*_libraries(), os.path.realpath(inside), "/proc/self")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._kernel = self._libc.inotify_init1(_IN_NONBLOCK)
        self._libc.inotify_add_watch(
            self._kernel, str(outside).encode(), _IN_OPEN | _IN_CREATE
        )
        sys.addaudithook(self._audit)

    def _audit(self, event, arguments):
        """The hook: it stays for the life of the process."""
        events = self.events
        if events is None:
            return
        self.events = None  # what is done here is not seen
        try:
            if found := self._judge(event, arguments):
                events.append(found)
        finally:
            self.events = events

    def _judge(self, event, arguments):
        """A sentence on a forbidden event, else None."""
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(self._allowed):
                return f"open {path}"
        elif event == "import":
            root = str(arguments[0]).partition(".")[0]
            if root not in _OWN and root not in sys.modules:
                return f"import {arguments[0]}"
        elif event == "exec":
            name = arguments[0].co_filename
            if not name.startswith((*self._allowed[:-2], "<frozen")):
                return f"exec {name}"
        elif event.startswith(_FORBIDDEN):
            return f"{event} {str(arguments)[:80]}"
        return None

    def opened_outside(self):
        """Did any code open a file of `outside` since the last question?"""
        with contextlib.suppress(BlockingIOError):
            return len(os.read(self._kernel, 1 << 16)) > 0
        return False

    @contextlib.contextmanager
    def __call__(self):
        """Gives a list that has all forbidden events at the end of the block."""
        self.opened_outside()
        found = self.events = []
        try:
            yield found
        finally:
            self.events = None
            if self.opened_outside():
                found.append("a file outside was opened or made")


def import_late_ones():
    """Import what the package imports when it is first used, which runs code."""
    for name in ("scipy.signal", "jax.experimental.sparse", "h5py"):
        importlib.import_module(name)


def peak_bytes():
    """The most memory since `forget_peak`."""
    with open("/proc/self/status") as lines:
        return 1024 * int(next(x for x in lines if x.startswith("VmHWM")).split()[1])


def forget_peak():
    """Start counting anew."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def limit_memory(growth):
    """Raise MemoryError from `growth` bytes of addresses beside those in use on."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + growth, hard))


@contextlib.contextmanager
def time_limit(seconds):
    """End the process, with a traceback, if the block takes longer: C code, too."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
