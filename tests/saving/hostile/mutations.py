"""Random changes of valid files: of bytes, of JSON, of HDF5."""

import copy
import io
import json

import h5py
import numpy as np

DEEP = 400
_NAMES = (
    *("Dense", "LSTM", "Functional", "Sequential", "Lambda", "StringLookup", "Conv2D"),
    *("Embedding", "Bidirectional", "MultiHeadAttention", "Adam", "AUC", "Identity"),
    *("RandomNormal", "Orthogonal", "InputLayer", "Add", "GetItem", "function"),
    *("__numpy__", "__tensor__", "__lambda__", "__keras_tensor__", "__slice__"),
    *("__bytes__", "DTypePolicy", "TimeDistributed", "StackedRNNCells", "Pipeline"),
)
_WORDS = ("", "x", "../x", "/etc/passwd", "keras.layers", "os", "float32", "\ud800")
_NUMBERS = (-1, 0, 1, 2, 1.5, -2.5, float("nan"), float("inf"), 255, 65_536, 10**6)
_HUGE = (10**9, -(10**9), 2**31, 2**63, 10**20, 10**400, 1e300)


# Bytes.


def bytes_changed(rng, data):
    """The bytes after one to four random changes."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(_BYTES)(rng, data)
    return data


def _place(rng, data):
    """A position, near the start or the end more often than elsewhere."""
    size = len(data)
    near = min(size, 600)
    return rng.choice(
        (
            rng.randrange(size + 1),
            rng.randrange(near + 1),
            size - rng.randrange(near + 1),
        )
    )


def _flip(rng, data):
    found = bytearray(data)
    for _ in range(rng.choice((1, 2, 8)) if data else 0):
        at = min(_place(rng, data), len(data) - 1)
        found[at] ^= 1 << rng.randrange(8)
    return bytes(found)


def _cut(rng, data):
    return data[: _place(rng, data)]


def _remove(rng, data):
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice((1, 4, 64, 4096)) :]


def _insert(rng, data):
    at = _place(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 4, 64, 4096))) + data[at:]


def _overwrite(rng, data):
    at, count = _place(rng, data), rng.choice((1, 2, 4, 8, 32))
    new = rng.choice((b"\0" * count, b"\xff" * count, rng.randbytes(count)))
    return data[:at] + new + data[at + count :]


def _repeat(rng, data):
    at, count = _place(rng, data), rng.choice((8, 64, 512))
    return data[:at] + data[at : at + count] * rng.choice((1, 50)) + data[at:]


_BYTES = (_flip, _flip, _cut, _remove, _insert, _overwrite, _overwrite, _repeat)


# JSON.


def json_changed(rng, value):
    """A copy of a JSON value after one to three changes somewhere in it."""
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        holder, key = rng.choice(_places(root))
        rng.choice(_JSON)(rng, root, holder, key)
        if not root:
            root = [None]
    return root[0]


def _places(root):
    """All (holder, key) in a tree."""
    found, left = [], [root]
    while left:
        holder = left.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], (dict, list)) and len(found) < 20_000:
                left.append(holder[key])
    return found


def _value(rng):
    """Any value."""
    kind = rng.randrange(8)
    if kind < 2:
        return rng.choice(_NUMBERS)
    if kind == 2:
        return rng.choice(_HUGE)
    if kind == 3:
        return rng.choice((*_WORDS, *_NAMES))
    if kind == 4:
        return [_value(rng) for _ in range(rng.randrange(4))]
    if kind == 5:
        return rng.choice((None, True, False, {}, []))
    if kind == 6:
        found = rng.choice(_NUMBERS)
        for _ in range(rng.choice((3, 30, DEEP))):
            found = [found] if rng.random() < 0.5 else {"config": found}
        return found
    return {"class_name": rng.choice(_NAMES), "config": {"value": rng.choice(_NUMBERS)}}


def _replace(rng, root, holder, key):
    holder[key] = _value(rng)


def _same_type(rng, root, holder, key):
    """Another value of the same type: such files get far."""
    old = holder[key]
    if isinstance(old, bool) or old is None:
        holder[key] = rng.choice((True, False, None))
    elif isinstance(old, int):
        holder[key] = rng.choice(
            (old + 1, old - 1, -old, old * 2, old << rng.randrange(40), *_HUGE)
        )
    elif isinstance(old, float):
        holder[key] = rng.choice((*_NUMBERS, *_HUGE))
    elif isinstance(old, str):
        holder[key] = rng.choice((*_NAMES, *_WORDS, old + "x", old[:-1], old * 50))
    elif isinstance(old, list):
        holder[key] = rng.choice((old * 2, old[:-1], [old], old[::-1], []))
    else:
        holder[key] = dict(list(old.items())[:-1])


def _swap(rng, root, holder, key):
    """The value of another place, copied."""
    other, where = rng.choice(_places(root))
    holder[key] = copy.deepcopy(other[where])


def _delete(rng, root, holder, key):
    del holder[key]


def _add(rng, root, holder, key):
    if isinstance(holder, dict):
        holder[rng.choice((*_WORDS, "name", "class_name", "config", "dtype"))] = _value(
            rng
        )
    else:
        holder.insert(key, _value(rng))


def _rename(rng, root, holder, key):
    if isinstance(holder, dict):
        holder[rng.choice((*_WORDS, "config", "name"))] = holder.pop(key)


def _class(rng, root, holder, key):
    """Another class in the place of one, with the config of the old."""
    places = [(h, k) for h, k in _places(root) if k == "class_name"]
    if places:
        holder, key = rng.choice(places)
        holder[key] = rng.choice(_NAMES)


_JSON = (_replace, _same_type, _same_type, _swap, _delete, _add, _rename, _class)


def json_bytes(value):
    """The value as the bytes of a file."""
    return json.dumps(value).encode("utf8", "surrogatepass")


# HDF5.


def h5_changed(rng, data):
    """An HDF5 file after one to three changes of what is in it."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for _ in range(rng.choice((1, 1, 2, 3))):
            names = []
            file.visit(names.append)
            where = rng.choice(names) if names else "x"
            try:
                rng.choice(_H5)(rng, file, where)
            except (
                ValueError,
                TypeError,
                LookupError,
                OSError,
                RuntimeError,
                ArithmeticError,
                MemoryError,
            ):
                pass  # this change does not go there
    return buffer.getvalue()


def _h5_delete(rng, file, where):
    del file[where]


def _h5_array(rng, file, where):
    """Another dataset."""
    shape = rng.choice(((), (0,), (3,), (3, 4), (4, 3), (1, 3, 4), (2, 2, 2, 2)))
    dtypes = "f2 f4 f8 i1 i4 i8 u2 c8 ? S5 V2".split()
    value = np.zeros(shape, rng.choice((*dtypes, [("a", "f4"), ("b", "i1")])))
    if where in file:
        del file[where]
    file[where] = value


def _h5_nan(rng, file, where):
    # Another change may have made it large: to fill that takes all time.
    if isinstance(file[where], h5py.Dataset) and (file[where].size or 0) < 10**6:
        file[where][...] = rng.choice((np.nan, np.inf, 1e38))


def _h5_large(rng, file, where):
    """Declared, and not stored."""
    shape = tuple(rng.choice((1, 3, 4, 10**3, 10**6, 10**9)) for _ in range(2))
    if where in file:
        del file[where]
    options = rng.choice(({}, {"chunks": True}, {"chunks": True, "compression": 9}))
    file.create_dataset(where, shape, "f4", **options)


def _h5_text(rng, file, where):
    if where in file:
        del file[where]
    file.create_dataset(where, data="text", dtype=h5py.string_dtype())


def _h5_link(rng, file, where):
    """A link: hard, to a group above or below; soft; external."""
    new = f"{where}_{rng.randrange(9)}"
    link = rng.choice(("hard", "root", "soft", "external"))
    if link == "soft":
        file[new] = h5py.SoftLink(rng.choice((f"/{where}", "/nowhere", f"/{new}")))
    elif link == "external":
        file[new] = h5py.ExternalLink("other.h5", "/")
    else:
        file[f"{where}/again" if rng.random() < 0.5 else new] = (
            file if link == "root" else file[where]
        )


def _h5_move(rng, file, where):
    file.move(where, rng.choice(("x", f"{where}x", f"x/{where}", "layers/x/vars/0")))


def _h5_group(rng, file, where):
    file.create_group(f"{where}/{rng.choice(('a', 'vars', '0', 'a/b/c/d', 'é'))}")


def _h5_attribute(rng, file, where):
    """Change, delete or add an attribute, also of the root."""
    attrs = file[rng.choice((where, "/"))].attrs
    names = [*attrs, rng.choice(("name", "dtype", "weight_names", "layer_names"))]
    name = rng.choice(names)
    if name in attrs and rng.random() < 0.3:
        del attrs[name]
        return
    old = attrs.get(name)
    if isinstance(old, str) and old.startswith("{") and rng.random() < 0.8:
        try:
            attrs[name] = json.dumps(json_changed(rng, json.loads(old)))
        except ValueError:
            attrs[name] = old[: _place(rng, old)]
        return
    attrs[name] = rng.choice(
        ("", "bfloat16", b"\xff\xfe", 3, -1.5, np.zeros(3), np.array([b"a", b"b"]),
         h5py.Empty("f4"), np.array([b"a/kernel:0"]), np.bool_(True))
    )  # fmt: skip


_H5 = (
    *(_h5_delete, _h5_array, _h5_array, _h5_nan, _h5_large, _h5_text, _h5_link),
    *(_h5_move, _h5_group, _h5_attribute, _h5_attribute, _h5_attribute),
)
