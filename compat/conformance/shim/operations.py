"""Private Operation classes: `Add()(x, y)` becomes a call of the public `add(x, y)`."""

import ast
import typing

from compat.conformance.shim.placeholders import PrivateKerasAPI
from compat.conformance.shim.source import call_name, export_paths


class Use(typing.NamedTuple):
    """How a public function uses an Operation class.

    It is taken from the statement `Cls(<names>).symbolic_call(<names>)`, or the same
    without the method, in the body of the function.
    """

    paths: list  # public names of the function
    parameters: list  # of the function, in order
    positional: list  # parameters of the constructor, in order
    constructor: dict  # parameter of the constructor -> parameter of the function
    inputs: list  # parameters of the function that are the inputs of the call
    keywords: dict  # keyword of the call -> parameter of the function
    defaults: dict  # of the constructor


def find_use(source, module, cls):
    """The Use of an Operation class, or None if no exported function has a plain one.

    Args:
        source: the Source of the suite.
        module: module that defines the class.
        cls: the class, a node.
    """
    positional, defaults = _constructor(source, module, cls)
    tree = ast.parse(source.file(module).read_text())
    for function in tree.body:
        paths = export_paths(function)
        if not isinstance(function, ast.FunctionDef) or not paths:
            continue
        for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
            made = call.func  # the `Cls(...)` of `Cls(...)(inputs)`
            if call_name(call) == "symbolic_call":
                made = getattr(call.func, "value", None)
            if call_name(made) == cls.name:
                return _use(function, paths, made, call, positional, defaults)
    return None


def _constructor(source, module, cls):
    """(names, defaults) of the class's own or inherited constructor."""
    init, owner = None, cls
    while owner and not init:
        methods = (n for n in owner.body if getattr(n, "name", "") == "__init__")
        init = next(methods, None)
        base = source.table(module).get(getattr(owner.bases[0], "id", ""))
        owner = base[1] if base and base[0] == "operation" else None
    if init is None:
        return [], {}
    a = init.args
    pairs = list(zip(a.args[::-1], a.defaults[::-1], strict=False))
    pairs += [(p, d) for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d]
    defaults = {}
    for parameter, default in pairs:
        try:
            defaults[parameter.arg] = ast.literal_eval(default)
        except ValueError:
            pass
    return [p.arg for p in a.args[1:]], defaults


def _use(function, paths, made, call, positional, defaults):
    f = function.args
    known = [p.arg for p in f.args + f.kwonlyargs]
    known += [p.arg for p in (f.vararg, f.kwarg) if p]
    given = dict(zip(positional, made.args, strict=False))
    given |= {k.arg: k.value for k in made.keywords}
    constructor = {
        k: v.id
        for k, v in given.items()
        if k and isinstance(v, ast.Name) and v.id in known
    }
    inputs = []
    for arg in call.args:
        star = isinstance(arg, ast.Starred)
        node = arg.value if star else arg
        if not isinstance(node, ast.Name) or node.id not in known:
            return None
        inputs.append(("*" if star else "") + node.id)
    keywords = {
        k.arg: k.value.id
        for k in call.keywords
        if k.arg and isinstance(k.value, ast.Name)
    }
    parameters = [p.arg for p in f.args]
    return Use(paths, parameters, positional, constructor, inputs, keywords, defaults)


class _FrozenMeta(type):
    """The target never uses these classes: to patch one proves nothing."""

    def __setattr__(cls, key, value):
        raise PrivateKerasAPI(f"patching {cls.__name__}.{key}")


def make_operation(name, function, use, target):
    """A class whose instances call the public function.

    Args:
        name: name of the Operation class.
        function: the target's public function.
        use: the Use that ties them.
        target: the package under test.
    """

    class Adaptor(metaclass=_FrozenMeta):
        def __init__(self, *args, **kwargs):
            values = _constructor_values(name, use, args, kwargs)
            self.__dict__.update(values)
            self._kwargs = {use.constructor[k]: v for k, v in values.items()}

        def __call__(self, *args, **kwargs):
            keywords, rest = _call_values(name, use, self._kwargs, args, kwargs)
            # Leading parameters go by position: they may be positional-only.
            head = []
            for parameter in use.parameters:
                if parameter not in keywords:
                    break
                head.append(keywords.pop(parameter))
            return function(*head, *rest, **keywords)

        def compute_output_spec(self, *args, **kwargs):
            # Symbolic even if all inputs are arrays.
            return self(*_symbolic(target, args), **kwargs)

        call, symbolic_call = __call__, compute_output_spec

        def __getattr__(self, key):
            if key.startswith("__"):
                raise AttributeError(key)
            raise PrivateKerasAPI(f"{name}().{key}")

    type.__setattr__(Adaptor, "__name__", name)
    type.__setattr__(Adaptor, "__qualname__", name)
    return Adaptor


def _constructor_values(name, use, args, kwargs):
    kwargs.pop("name", None)
    if len(args) > len(use.positional):
        raise TypeError(f"{name}: too many arguments")
    given = dict(zip(use.positional, args, strict=False)) | kwargs
    unknown = set(given) - set(use.constructor)
    if unknown:
        raise PrivateKerasAPI(f"{name}({', '.join(sorted(unknown))}=)")
    return {k: v for k, v in use.defaults.items() if k in use.constructor} | given


def _call_values(name, use, settings, args, kwargs):
    """(keywords, further positional arguments) of the call of the function."""
    values, rest = dict(settings), []
    more = list(use.keywords.values())
    for i, value in enumerate(args):
        if i < len(use.inputs) and not use.inputs[i].startswith("*"):
            values[use.inputs[i]] = value
        elif use.inputs and use.inputs[-1].startswith("*"):
            rest.append(value)
        elif i - len(use.inputs) < len(more):
            values[more[i - len(use.inputs)]] = value
        else:
            raise TypeError(f"{name}: too many inputs")
    return values | {use.keywords.get(k, k): v for k, v in kwargs.items()}, rest


def _symbolic(target, args):
    """Arrays -> KerasTensors, unless a KerasTensor is already among them."""
    if any(isinstance(x, target.KerasTensor) for x in target.tree.flatten(args)):
        return args

    def convert(x):
        if hasattr(x, "shape") and hasattr(x, "dtype"):
            dtype = target.backend.standardize_dtype(x.dtype)
            return target.KerasTensor(tuple(x.shape), dtype)
        return x

    return target.tree.map_structure(convert, args)
