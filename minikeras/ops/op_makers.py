"""Makers of ops that are one function of JAX each.

A row gives the function, its formula and an example. The maker writes the docstring of
the op from the row, with its arguments, its result and the example as a doctest.
"""

import sys

from minikeras.core.symbolic import op
from minikeras.ops.arguments import as_axes
from minikeras.ops.convert import as_array, as_operand

# What the docstrings say if a row says nothing else.
_ANY = "array of any shape."
_LIKE_X = "array of the shape of `x`."
_BROADCAST = "array of the shape to which the operands broadcast."
_AXES = "int, tuple of ints, or None for all axes."
_REDUCED = "array without the axes in `axis`."


def unary(
    function,
    formula,
    example,
    name=None,
    *,
    x=_ANY,
    returns=_LIKE_X,
    sparse=None,
    **options,
):
    """The op `function(x)`.

    Args:
        function: of one array.
        formula: first line of the docstring.
        example: "argument -> result" in Python, where the result is that of `tolist`,
            or the lines of a doctest.
        name: of the op; that of `function` by default.
        x, returns: what the docstring says of the argument and of the result.
        sparse: decorator of `ops.sparse` that gives the rule for sparse arrays.
        **options: those of `op`; its `name` is called `class_name` here.
    """

    def call(x):
        return function(as_array(x))

    call = sparse(call) if sparse else call
    name = name or function.__name__
    return _finish(call, name, formula, {"x": x}, returns, example, options)


def binary(
    function,
    formula,
    example,
    name=None,
    *,
    parameters=("x1", "x2"),
    operands=("array or number.", "array or number."),
    returns=_BROADCAST,
    sparse=None,
    operand=as_operand,
    **options,
):
    """The op `function(x1, x2)` of two operands that broadcast.

    Args:
        function, formula, example, name, returns, sparse, **options: as in `unary`.
        parameters: the names of the operands, ("x1", "x2") or ("x", "y").
        operands: what the docstring says of them.
        operand: converts each of them. `as_array` gives a Python number the dtype that
            an array of it would have.
    """

    def call(x1, x2):
        return function(operand(x1), operand(x2))

    # Keras calls the operands of its bitwise ops x and y: they may be keywords.
    def call_xy(x, y):
        return function(operand(x), operand(y))

    chosen = call if parameters == ("x1", "x2") else call_xy
    chosen = sparse(chosen) if sparse else chosen
    arguments = dict(zip(parameters, operands, strict=True))
    name = name or function.__name__
    return _finish(chosen, name, formula, arguments, returns, example, options)


def reduction(
    function,
    formula,
    example,
    name=None,
    *,
    axis=_AXES,
    returns=_REDUCED,
    sparse=None,
    **options,
):
    """The op `function(x, axis=None, keepdims=False)`.

    Args:
        function, formula, example, name, returns, sparse, **options: as in `unary`.
        axis: what the docstring says of that argument.
    """

    def call(x, axis=None, keepdims=False):
        return function(as_array(x), axis=as_axes(axis), keepdims=keepdims)

    call = sparse(call) if sparse else call
    arguments = {"x": _ANY, "axis": axis, "keepdims": "keep reduced axes with size 1."}
    name = name or function.__name__
    return _finish(call, name, formula, arguments, returns, example, options)


def _finish(call, name, formula, arguments, returns, example, options):
    """The op of `call`, named and documented."""
    # Error messages show the name, and the class name in files is made of it.
    call.__name__ = call.__qualname__ = name
    # Doctest runs the examples of functions whose module is the file that it reads, and
    # pickle finds functions by it: the file of the row, two frames up.
    call.__module__ = sys._getframe(2).f_globals["__name__"]
    call.__doc__ = document(name, formula, arguments, returns, example)
    if "class_name" in options:
        options["name"] = options.pop("class_name")
    return op(call, **options)


def document(name, formula, arguments, returns, example):
    """The docstring of a made op, with its example as a doctest."""
    if not example.startswith(">>>"):
        given, _, result = example.partition(" -> ")
        example = f">>> {name}({given}).tolist()\n{result}"
    listed = "\n".join(f"    {key}: {what}" for key, what in arguments.items())
    returns = returns[0].upper() + returns[1:]
    return f"{formula}\n\nArgs:\n{listed}\n\nReturns:\n    {returns}\n\n{example}\n"
