"""Write docs/api.md: every public name with the first line of its docstring."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import minikeras

TARGET = Path(__file__).parent.parent / "docs" / "api.md"


def rooms():
    """The package and its public sub-packages, in the order of their names."""
    yield minikeras
    for info in sorted(pkgutil.iter_modules(minikeras.__path__), key=lambda i: i.name):
        module = importlib.import_module(f"minikeras.{info.name}")
        if getattr(module, "__all__", None):
            yield module


def lines(room):
    """The Markdown lines of one room."""
    yield f"\n## {room.__name__}\n"
    yield f"{first_line(room)}\n"
    for name in room.__all__:
        value = getattr(room, name)
        if callable(value):
            yield f"- `{name}{signature(value)}`: {first_line(value)}"


def first_line(value):
    return (inspect.getdoc(value) or "").strip().partition("\n")[0]


def signature(value):
    """The names of the parameters, without the long default values."""
    try:
        names = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return f"({', '.join(stars.get(p.kind, '') + p.name for p in names)})"


def text() -> str:
    """The whole page."""
    parts = ["# The public names", *(line for room in rooms() for line in lines(room))]
    return "\n".join(parts) + "\n"


def main():
    TARGET.parent.mkdir(exist_ok=True)
    page = text()
    TARGET.write_text(page)
    print(f"{TARGET}: {page.count(chr(10) + '- ')} names")


if __name__ == "__main__":
    main()
