"""RunState: all that a `fit` is made of, so that another process can go on with it.

That is the state of the steps, the generators, the position in the data, the history
and the states of callbacks. Who goes on gets the same bits as if nothing had happened.
"""

import contextlib
import re
import time
import warnings
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from minikeras.callbacks import BackupAndRestore, CallbackList
from minikeras.core import random_state
from minikeras.core.plain_state import NotPlainError, StateOf, pack, unpack
from minikeras.core.printing import print_msg
from minikeras.random.seed_generator import global_state, set_global_state
from minikeras.saving.errors import FileError
from minikeras.training.feed.base import BatchFeed
from minikeras.training.lease import StateLease
from minikeras.training.protocol import TrainableModel
from minikeras.training.run_folder import RunFolder
from minikeras.training.state import Start

# What a callback has of the training itself.
_IGNORED = frozenset(
    {"model", "params", "_model", "_mk_model", "_params", "_mk_runner", "monitor_op"}
)
# With save_freq="auto", writing may take this share of the time.
_SHARE = 0.01
_SHORTEST_PAUSE = 0.5  # seconds between two writes


class RunState:
    """Writes the state of a `fit` to a folder, and takes it from there.

    Args:
        model: the model.
        lease: has the arrays.
        feeds: feeds by name, that of the training as "training".
        callbacks: their states belong to it.
        backup: says how often.
        folder: open.
    """

    def __init__(
        self,
        model: TrainableModel,
        lease: StateLease,
        feeds: dict[str, BatchFeed],
        callbacks: CallbackList,
        backup: BackupAndRestore,
        folder: RunFolder,
    ):
        self._model, self._lease, self._feeds = model, lease, feeds
        self._callbacks, self._backup, self._folder = callbacks, backup, folder
        self._stored, self._arrays = folder.read(), {}
        self._states: list[tuple[str, StateOf]] = []
        # A Ctrl-C in between would leave weights of one step and slots of another.
        lease.interrupts.delay_in(RunState.restore)
        for feed in feeds.values():
            feed.record()
        # One dispatch, which no step waits for, instead of one for each array.
        self._copy = jax.jit(lambda tree: jax.tree_util.tree_map(jnp.copy, tree))
        self._last_batches = self._batches_since = 0
        self._next_time = time.perf_counter() + _SHORTEST_PAUSE

    def begin(self, initial_epoch: int) -> Start:
        """Call `on_train_begin`, and restore the state of the file, if there is one.

        Args:
            initial_epoch: number of the first epoch without a file.

        Raises:
            ValueError: the file is of another model or of other data.
        """
        stored, callbacks = self._stored, self._callbacks
        if stored is not None:
            self._check()
            callbacks.set_params({**callbacks.params, "resumed": True})
        callbacks.on_train_begin()
        known = [self._model, *jax.tree_util.tree_leaves(tuple(self._lease.variables))]
        self._states = [
            (type(c).__name__, StateOf(c, known, _IGNORED))
            for c in _with_inner(callbacks.callbacks)
            if c is not self._backup
        ]
        if stored is None:
            return Start(initial_epoch)
        self.restore()
        logs = unpack(stored["logs"])
        start = Start(stored["epoch"], stored["batches"], stored["stopped"], logs)
        if callbacks.params.get("verbose"):
            print_msg(self._where(start, callbacks.params.get("epochs", 0)))
        return start

    def _where(self, start, epochs):
        """Where the training goes on, in words."""
        path = str(self._folder.path)
        if not start.epochs(epochs):
            return f"{path} holds a complete training of {start.epoch} epochs."
        batches = f", behind batch {start.batches}" if start.batches else ""
        return f"Going on from {path} in epoch {start.epoch + 1}{batches}."

    def save_if_due(self, epoch: int, batches: int) -> None:
        """Save within an epoch, behind so many batches of it, if it is time to."""
        self._batches_since += batches - self._last_batches
        self._last_batches = batches
        freq: Any = self._backup.save_freq
        if freq == "auto":
            is_due = time.perf_counter() >= self._next_time
        else:
            is_due = freq != "epoch" and self._batches_since >= freq
        if is_due and not self._folder.is_writing:
            self._save(epoch, batches)

    def save_epoch(self, epoch: int, logs: dict[str, Any], is_last: bool) -> None:
        """Save between two epochs, if it is time to.

        Args:
            epoch: number of the next epoch.
            logs: of the last one.
            is_last: does none follow?
        """
        self._last_batches, freq = 0, self._backup.save_freq
        is_due = freq == "epoch" or is_last
        if is_due or freq == "auto" and time.perf_counter() >= self._next_time:
            self._save(epoch, 0, logs)
        if is_last:
            self._folder.wait()

    def finish(self) -> None:
        """Delete the file of a complete training, if that was asked for."""
        if self._backup.delete_checkpoint:
            self._folder.delete()

    def _save(self, epoch, batches, logs=None):
        """Write the state as it is behind the last step."""
        start = time.perf_counter()
        lease, feed = self._lease, self._feeds["training"]
        sections = self._copied(lease.sections())
        state = {
            "epoch": epoch,
            "batches": batches,
            "num_batches": feed.num_batches,
            "batch_size": feed.batch_size,
            "stopped": bool(self._model.stop_training),
            "logs": _packed_logs(logs or {}),
            "step_logs": _packed_logs(self._copied(lease.logs)),
            "trainable": [x.trainable for x in self._model._mk_flatten_layers()],
            "random": pack(random_state.of()),
            "seed": global_state(),
            "feeds": {
                name: pack(f.position(batches)) for name, f in self._feeds.items()
            },
            "callbacks": [[name, state.get()] for name, state in self._states],
            # JAX sorts the keys, but the order of the layers counts: see `_check`.
            "arrays": [
                {key: arrays[key] for key in table}
                for arrays, table in zip(sections, lease.variables, strict=True)
            ],
        }
        self._warn_of_unknown()
        self._folder.write(state)
        self._batches_since = 0
        now = time.perf_counter()
        # The last write's time: this one's is not known yet.
        pause = (now - start + self._folder.seconds) / _SHARE
        self._next_time = now + max(pause, _SHORTEST_PAUSE)

    def _copied(self, tree):
        """The arrays as they are now: the next step overwrites its buffers."""
        try:
            return self._copy(tree)
        except jax.errors.JaxRuntimeError:  # no room on the device: the host has some
            return jax.device_get(tree)

    def _warn_of_unknown(self):
        for name, state in self._states:
            own = state.holder_module.startswith("minikeras.")
            while state.unknown:
                attribute = state.unknown.pop()
                if not own:
                    warnings.warn(
                        f"{name}.{attribute} is no plain data, so it cannot be stored: "
                        "a training that goes on from the file finds it as in a new "
                        "object. Give the callback get_state() and set_state(state).",
                        stacklevel=2,
                    )

    def _check(self):
        """Raise ValueError unless the file is of this model and of this data."""
        stored = self._stored
        for name in ("epoch", "batches"):
            if type(stored[name]) is not int or stored[name] < 0:
                raise FileError(f"{name} is {stored[name]!r}.", str(self._folder.path))
        remedy = "Delete the folder to train from the start, or give another one."
        theirs, ours = _by_path(stored["arrays"]), _by_path(self._lease.variables)
        is_like = _kinds_without_numbers(theirs) == _kinds_without_numbers(ours)
        if is_like and theirs.keys() != ours.keys():
            # A second model of one program, or of one notebook, has higher numbers in
            # the names that its layers got automatically.
            self._arrays = dict(zip(ours, theirs.values(), strict=True))
        else:
            self._arrays = theirs
        before, now = _kinds(self._arrays), _kinds(ours)
        if odd := [key for key in {**now, **before} if before.get(key) != now.get(key)]:
            found = [
                f"{key[1]} is {before.get(key, 'missing')} there, "
                f"{now.get(key, 'missing')} here"
                for key in odd[:5]
            ]
            raise ValueError(
                f"{str(self._folder.path)!r} holds the training of another model: "
                f"{'; '.join(found)}{' …' if len(odd) > 5 else ''}. {remedy}"
            )
        feed = self._feeds["training"]
        if (size := stored["batch_size"]) != feed.batch_size:
            raise ValueError(
                f"{str(self._folder.path)!r} holds a training with batch_size={size}, "
                f"not {feed.batch_size}. Pass the same, as a number. {remedy}"
            )
        now, before = feed.num_batches, stored["num_batches"]
        if stored["batches"] and before != now:
            raise ValueError(
                f"{str(self._folder.path)!r} holds a training that stopped behind "
                f"batch {stored['batches']} of {before} of an epoch; the data have "
                f"{now} batches now. {remedy}"
            )

    def restore(self) -> None:
        """Give everything the state of the file."""
        stored, model, lease = self._stored, self._model, self._lease
        flags = zip(model._mk_flatten_layers(), stored["trainable"], strict=True)
        for layer, flag in flags:
            if layer.trainable != flag:
                layer.trainable = flag
        for key, variable in _by_path(lease.variables).items():
            variable.assign(self._arrays[key])
        lease.last[:] = [(lease.sections(), unpack(stored["step_logs"]))]
        model.stop_training = stored["stopped"]
        for name, feed in self._feeds.items():
            if name in stored["feeds"]:  # validation may be new
                feed.go_on(unpack(stored["feeds"][name]))
        self._restore_callbacks()
        set_global_state(stored["seed"])
        # The last, because what went before may have drawn.
        random_state.set_to(unpack(stored["random"]))

    def _restore_callbacks(self):
        states = list(self._stored["callbacks"])
        for name, state in self._states:
            found = next((x for x in states if x[0] == name), None)
            if found is not None:
                states.remove(found)
                state.set(found[1])


def _with_inner(callbacks):
    """The callbacks, and those that they hold as attributes."""
    for callback in callbacks:
        yield callback
        for value in list(getattr(callback, "__dict__", {}).values()):
            if hasattr(value, "set_model") and not isinstance(value, type):
                yield value


def _by_path(sections):
    """{(kind, path): value} of the sections of a `TrainState`."""
    # A layer that is frozen meanwhile has moved from `params` to `state`.
    kinds = ("weight", "weight", "slot", "metric", "carried")
    return {
        (kind, path): value
        for kind, table in zip(kinds, sections, strict=True)
        for path, value in table.items()
    }


def _kinds(table):
    """{key: dtype and shape in words} of arrays, or of Variables."""
    arrays = {key: getattr(x, "value", x) for key, x in table.items()}
    return {
        key: f"{array.dtype} of shape {tuple(array.shape)}"
        for key, array in arrays.items()
    }


def _kinds_without_numbers(table):
    names = [(kind, re.sub(r"_\d+", "", path)) for kind, path in table]
    return list(zip(names, _kinds(table).values(), strict=True))


def _packed_logs(logs):
    try:
        return pack(dict(logs))
    except (NotPlainError, TypeError, ValueError):  # a step of the user returns others
        return pack({})


@contextlib.contextmanager
def run_state(
    model: TrainableModel,
    lease: StateLease,
    feeds: dict[str, BatchFeed],
    callbacks: Any,
) -> Iterator[RunState]:
    """The `RunState` of a `fit` with a `BackupAndRestore` among its callbacks.

    Args:
        model, lease, feeds, callbacks: see `RunState`.
    """
    backup: Any = callbacks.backup
    with RunFolder(backup.backup_dir, backup.double_checkpoint) as folder:
        yield RunState(model, lease, feeds, callbacks, backup, folder)
