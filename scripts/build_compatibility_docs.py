"""Write docs/compatibility.md: the names of Keras that are here, and what differs."""

import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from compat import api_surface as surface

TARGET = Path(__file__).parent.parent / "docs" / "compatibility.md"


def text() -> str:
    """The whole page."""
    names, differences = surface.modules(), surface.differences()
    more, old = surface.tensorflow_only(), surface.tensorflow_differences()
    return f"""# The names of Keras

Written by `make docs`; `compat/test_api.py` fails for a difference that is not listed
here, and for a listed name that has become equal to Keras's. A name is equal if it is
of the same kind (class, function, module, constant) and has the same parameters: their
names, order, kinds and default values.

Keras {keras.__version__} has {_counts(names, differences)}.
`tensorflow.keras` has more: {_counts(more, old)},
under `install_as_keras()`.

| module | names | here | equal | listed below |
|---|--:|--:|--:|--:|
{_table(names, differences)}

## Listed names

| why | names |
|---|---|
{_reasons(surface.LISTED)}

A missing module stands for all names in it.

## What only `tensorflow.keras` has

| module | names | here | equal | listed below |
|---|--:|--:|--:|--:|
{_table(more, old)}

| why | names |
|---|---|
{_reasons(surface.LISTED_TENSORFLOW)}

Under `install_as_keras()`, all names of both tables that are here are found as well as
without it{_but(surface.reasons(surface.LISTED_ALIAS))}.

## Methods and properties

Those of all classes that are here are compared, too. A number is that of the classes
in which the method is missing, or has other parameters.

| why | methods and properties |
|---|---|
{_reasons(surface.LISTED_MEMBERS)}
"""


def _counts(modules, differences):
    total = sum(map(len, modules.values()))
    here = total - list(differences.values()).count("missing")
    equal = total - len(differences)
    return f"{total:,} public names; {here:,} are here, {equal:,} of them equal"


def _table(modules, differences):
    return "\n".join(
        _row(module, [surface.path(module, name) for name in names], differences)
        for module, names in sorted(modules.items())
    )


def _row(module, names, differences):
    kinds = [differences.get(name) for name in names]
    there, same = len(names) - kinds.count("missing"), kinds.count(None)
    name = f"`keras.{module}`" if module else "`keras`"
    return f"| {name} | {len(names)} | {there} | {same} | {len(names) - same or ''} |"


def _reasons(listed):
    return "\n".join(
        f"| {why} | {', '.join(_code(name) for name in names.split())} |"
        for why, names in listed.items()
    )


def _code(name):
    """`name`, with the number behind it outside of the quotes."""
    name, _, number = name.partition(":")
    return f"`{name}` {number}".strip()


def _but(names):
    return f", but {', '.join(f'`{name}`' for name in names)}" if names else ""


def main():
    TARGET.write_text(text())
    print(f"{TARGET}: {len(surface.differences())} names that differ")


if __name__ == "__main__":
    main()
