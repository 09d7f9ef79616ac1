"""Profiler: where the time of a step goes, by layer, as a table and as HTML."""

import collections
import contextlib
import functools
import html
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from typing import Any

import jax

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.callback_list import CallbackList
from minikeras.core.checks import positive_int
from minikeras.core.printing import print_msg
from minikeras.saving.atomic_files import replace_file
from minikeras.training import trace_profile
from minikeras.training.feed.dispatch import BatchSlice, Dispatch
from minikeras.training.program import compiled_form
from minikeras.training.trace_profile import LOOP, PREFIX, WINDOW, Row

# The window ends after so many seconds, too: a trace holds each operation of each step.
_MOST_SECONDS = 10.0


class Profiler(Callback):
    """Measures some steps and prints how long each layer takes.

    The time of a step is divided among the forward and backward pass of each layer,
    loss, metrics, optimizer, waiting for data, callbacks, and Python's dispatch; what
    nobody can tell is a row of its own. It comes from a trace of JAX's profiler. For
    `fit`, `evaluate` and `predict`; only the measured steps are slower.

    Args:
        first: int >= 0, the first step that is measured. A step whose program is not
            compiled yet is never measured.
        steps: int >= 1, how many steps are measured at most. It ends earlier with the
            epoch, or after 10 seconds.
        path: path of an HTML page to write, too; None writes none.

    Attributes:
        rows: list of `Row(name, kind, forward, backward)`, seconds of a step; empty
            before the end.
        step_seconds: float, wall time of a step.
        compile_seconds: {name of a program: wall time of its first call}.
        measured_steps: int, how many steps were measured.
    """

    def __init__(self, first=0, steps=64, path=None):
        super().__init__()
        self.first = first if first == 0 else positive_int(first, "first")
        self.steps = positive_int(steps, "steps")
        self.path = None if path is None else os.fspath(path)
        self._mk_runner: Any = None
        self._mk_reset()

    def _mk_reset(self):
        self.rows: list[Row] = []
        self.step_seconds, self.measured_steps = 0.0, 0
        self.compile_seconds: dict[str, float] = {}
        self._mk_done, self._mk_runs, self._mk_programs = 0, collections.Counter(), {}
        self._mk_folder = self._mk_window = self._mk_trace = None
        self._mk_ends_at = 0.0

    def on_train_end(self, logs=None):
        self._mk_finish("train_step")

    def on_test_end(self, logs=None):
        self._mk_finish("test_step")

    def on_predict_end(self, logs=None):
        self._mk_finish("predict_step")

    def _mk_watch(self, runner):
        """Wrap what an `EpochRunner` calls.

        Args:
            runner: the runner, before its first epoch.
        """
        if self._mk_runner is not None and self._mk_runner.lease is runner.lease:
            return  # the validation of a `fit`, whose training is measured
        self._mk_reset()
        self._mk_runner, feed, lease = runner, runner.feed, runner.lease
        feed.dispatches = functools.partial(self._mk_dispatches, feed.dispatches)
        lease.run = functools.partial(self._mk_run, lease.run)
        for name in ("on_begin", "on_end"):
            if (hook := getattr(runner, name)) is not None:
                setattr(runner, name, _in_span("callbacks", hook))

    # -- while it runs ------------------------------------------------------------

    def _mk_dispatches(self, original, *arguments) -> Iterator[Dispatch]:
        """The feed's dispatches; the window opens and closes between two of them."""
        try:
            for rest in _timed("data", original(*arguments)):
                while rest is not None:
                    kind = _kind(rest)
                    part, rest = self._mk_cut(rest, kind)
                    self._mk_turn(kind)
                    with _span(LOOP):
                        yield part
                    self._mk_done += part.steps
                    self._mk_runs[kind] += 1
                    if self._mk_window is not None:
                        self.measured_steps += part.steps
        finally:
            self._mk_close()

    def _mk_cut(self, dispatch, kind):
        """(what runs now, the rest or None): a loop is compiled in one step of it."""
        limit = dispatch.steps
        if not self._mk_is_warm(kind):
            limit = 1
        elif self._mk_trace is None:
            limit = self.steps - self.measured_steps
            if self._mk_done < self.first:
                limit = self.first - self._mk_done
        if dispatch.max_steps is None or limit >= dispatch.steps:
            return dispatch, None
        batch, steps, most = dispatch
        rest = Dispatch(batch.advance(limit), steps - limit, most)
        return Dispatch(batch, limit, most), rest

    def _mk_turn(self, kind):
        """Open or close the window before a dispatch."""
        if self._mk_window is not None:
            full = self.measured_steps >= self.steps or time.time() > self._mk_ends_at
            if full or not self._mk_is_warm(kind):
                self._mk_close()
        elif (
            self._mk_trace is None
            and self._mk_is_warm(kind)
            and self._mk_done >= self.first
        ):
            self._mk_open()

    def _mk_is_warm(self, kind):
        # The first call compiles. The second is slow, too: JAX takes its fast path to a
        # program when it has seen arrays that the program itself has made.
        return self._mk_runs[kind] >= 2

    def _mk_open(self):
        jax.block_until_ready(self._mk_runner.lease.last)
        self._mk_folder = tempfile.mkdtemp(prefix="minikeras-profile-")
        options = jax.profiler.ProfileOptions()
        options.python_tracer_level = 0  # the calls of Python are slow to record
        try:
            jax.profiler.start_trace(self._mk_folder, profiler_options=options)
        except RuntimeError as error:  # one trace at a time
            warnings.warn(f"Profiler: nothing is measured: {error}", stacklevel=2)
            self._mk_trace = error
            return
        self._mk_ends_at = time.time() + _MOST_SECONDS
        self._mk_window = jax.profiler.TraceAnnotation(WINDOW)
        self._mk_window.__enter__()

    def _mk_close(self):
        if self._mk_window is None:
            return
        try:
            jax.block_until_ready(self._mk_runner.lease.last)
        finally:
            self._mk_window.__exit__(None, None, None)
            self._mk_window = None
            jax.profiler.stop_trace()
            with contextlib.suppress(ValueError):
                self._mk_trace = trace_profile.read(self._mk_folder)
            shutil.rmtree(self._mk_folder, ignore_errors=True)

    def _mk_run(self, original, program, *arguments):
        """Run a step; the first call of a program also compiles it."""
        sections = self._mk_runner.lease.sections()
        key = compiled_form(program), _shapes(arguments)
        if key in self._mk_programs:
            with _span("dispatch"):
                return original(program, *arguments)
        self._mk_programs[key] = jax.tree_util.tree_map(_spec, (sections, *arguments))
        start = time.perf_counter()
        original(program, *arguments)
        jax.block_until_ready(self._mk_runner.lease.last)
        name = f"{self._mk_runner.name} {len(self._mk_programs)}"
        self.compile_seconds[name] = time.perf_counter() - start

    # -- at the end ---------------------------------------------------------------

    def _mk_finish(self, name):
        if self._mk_runner is None or self._mk_runner.name != name:
            return
        runner, self._mk_runner = self._mk_runner, None
        if isinstance(self._mk_trace, trace_profile.Trace):
            begin, end = self._mk_trace.window
            self.step_seconds = (end - begin) / self.measured_steps / 1e9
            self.rows = trace_profile.rows(
                self._mk_trace,
                _texts(self._mk_programs),
                runner.model,
                self.measured_steps,
            )
        self._mk_trace, self._mk_programs = None, {}
        print_msg(self.table())
        if self.path is not None:
            with replace_file(self.path) as file:
                file.write(self.page(runner.model.name).encode())

    def table(self) -> str:
        """The result as text."""
        if not self.rows:
            return "Profiler: no step was measured; it needs one after the compilation."
        lines = [f"{'part':36} {'forward':>10} {'backward':>10} {'ms/step':>10} share"]
        for row in self.rows:
            parts = [row.forward, row.backward] if row.kind == "layer" else [None] * 2
            cells = " ".join(f"{_ms(x):>10}" for x in (*parts, row.total))
            share = row.total / self.step_seconds
            lines.append(f"{row.name[-36:]:36} {cells} {share:5.1%}")
        compiling = sum(self.compile_seconds.values())
        lines.append(
            f"A step takes {_ms(self.step_seconds)} ms, mean of {self.measured_steps} "
            f"steps. The first calls of {len(self.compile_seconds)} compiled programs "
            f"took {compiling:.2f} s."
        )
        return "\n".join(lines)

    def page(self, title: str) -> str:
        """The result as an HTML page that needs no other file.

        Args:
            title: name of the model.
        """
        head = "<tr><th>part<th>forward<th>backward<th>ms / step<th>share<th></tr>"
        title, lines, whole = html.escape(title), [], self.step_seconds or 1.0
        for row in self.rows:
            parts = [row.forward, row.backward] if row.kind == "layer" else [None] * 2
            cells = "".join(f"<td>{_ms(x)}" for x in (*parts, row.total))
            bar = "".join(
                f'<i class="{kind}" style="width:{60 * part / whole:.3f}%"></i>'
                for kind, part in (("f", row.forward), ("b", row.backward))
            )
            name, share = html.escape(row.name), f"{row.total / whole:.1%}"
            lines.append(
                f'<tr class="{row.kind}"><td>{name}{cells}<td>{share}<td>{bar}</tr>'
            )
        compiled = "".join(
            f"<tr><td>{html.escape(name)}<td>{seconds:.3f} s</tr>"
            for name, seconds in self.compile_seconds.items()
        )
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
            f"<style>{_STYLE}</style><h1>Where the time of {title} goes</h1><p>A step "
            f"takes {_ms(self.step_seconds)} ms, mean of {self.measured_steps} steps. "
            "Dark: forward, light: backward.</p><table>"
            f"{head}{''.join(lines)}</table><h2>First calls, with compilation</h2>"
            f"<table>{compiled}</table></html>\n"
        )


def with_profiler(callbacks: Any, profile: Any) -> Any:
    """The callbacks of `fit(profile=)` with a `Profiler` behind them.

    Args:
        callbacks: a callback, a list of them, or None.
        profile: True, or the path of the HTML page.
    """
    if isinstance(callbacks, CallbackList):
        raise ValueError(
            "fit(profile=) cannot add to a CallbackList: put a Profiler into it."
        )
    return [callbacks, Profiler(path=None if profile is True else profile)]


_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2em auto;max-width:60em;color:#222}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.2em .7em;text-align:right}"
    "th:first-child,td:first-child,td:last-child{text-align:left}"
    "tr:nth-child(even){background:#f4f6f8}td:last-child{width:40%;white-space:nowrap}"
    "i{display:inline-block;height:.8em}.f{background:#2563a8}.b{background:#9cc3ea}"
    ".host .f{background:#b45f06}.rest .f{background:#999}"
)


def _ms(seconds):
    return "" if seconds is None else f"{1e3 * seconds:,.3f}"


def _span(name):
    return jax.profiler.TraceAnnotation(PREFIX + name)


def _in_span(name, function):
    """The function; the trace shows when it runs."""

    @functools.wraps(function)
    def run(*args):
        with _span(name):
            return function(*args)

    return run


def _timed(name, items):
    """The items; the trace shows how long each one is waited for."""
    items = iter(items)
    while True:
        with _span(name):
            item = next(items, None)
        if item is None:
            return
        yield item


def _kind(dispatch):
    """What tells programs apart: loop or not, slice or not, and the shapes."""
    batch = dispatch.batch
    size = batch.size if isinstance(batch, BatchSlice) else None
    return dispatch.max_steps, size, _shapes(batch)


def _shapes(tree):
    return str([_spec(x) for x in jax.tree_util.tree_leaves(tree)])


def _spec(x):
    """Shape and dtype of an array; numbers that are compiled in stay."""
    return jax.ShapeDtypeStruct(x.shape, x.dtype) if hasattr(x, "dtype") else x


# JAX keeps what it has compiled, but compiles again with another option. This one has
# the value that it has anyway.
_ANEW = {"xla_embed_ir_in_executable": False}


def _texts(programs):
    """(name, text) of the programs, compiled again with the names of this model.

    JAX's cache on disk takes two programs for one that differ in the names of layers,
    so what ran may have the names of another model. That does not change the names of
    its instructions.
    """
    option = "jax_compilation_cache_include_metadata_in_key"
    before = getattr(jax.config, option)
    jax.config.update(option, True)
    try:
        for (program, _), arguments in programs.items():
            if hasattr(program, "lower"):
                text = program.lower(*arguments).compile(_ANEW).as_text()
                yield text.split(",", 1)[0].removeprefix("HloModule "), text
    finally:
        jax.config.update(option, before)
