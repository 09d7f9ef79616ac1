"""Docstrings of optimizers: the arguments that all of them take, written once."""

import re


def with_common_arguments(doc, base_doc, parameters):
    """Replace the line `*common, **settings` of a docstring by the base's arguments.

    Args:
        doc: docstring of a subclass; others, such as None under `python -OO`, stay.
        base_doc: docstring that describes the parameters in its `Args:` section.
        parameters: the `inspect.Parameter`s to describe.
    """
    if not isinstance(doc, str) or not base_doc:
        return doc
    entries, name = {}, None
    for line in base_doc.split("Args:\n")[1].split("\n\n")[0].splitlines():
        if not line.startswith(" " * 12):
            name = line.strip().partition(":")[0].strip("*")
        entries.setdefault(name, []).append(line)
    common = "\n".join("\n".join(entries[p.name]) for p in parameters)
    return re.sub(r" +\*common, \*\*settings: .*", lambda _: common, doc)
