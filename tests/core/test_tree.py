"""keras.tree: nests, their order and what counts as a leaf."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import jax.numpy as jnp
import pytest
from jax.experimental import sparse

from minikeras import tree
from minikeras.layers import Layer

Point = namedtuple("Point", "x y")
NESTS = [
    1,
    None,
    (),
    [1, 2],
    (1, [None, 3]),
    deque([1, 2], maxlen=3),
    Point(1, (2,)),
    {"b": 2, "a": [1]},
    OrderedDict(b=2, a=1),
    defaultdict(int, b=2, a=1),
    {1: 1, "a": 2},
]


@pytest.mark.parametrize("nest", NESTS, ids=repr)
def test_a_nest_is_made_again_from_its_leaves(nest):
    leaves = tree.flatten(nest)
    again = tree.pack_sequence_as(nest, iter(leaves))
    assert type(again) is type(nest) and repr(again) == repr(nest)
    assert repr(tree.map_structure(lambda x: x, nest)) == repr(nest)
    assert [leaf for _, leaf in tree.flatten_with_path(nest)] == leaves


def test_order():
    assert tree.flatten({"b": 2, "a": 1}) == [1, 2]
    assert tree.flatten(OrderedDict(b=2, a=1)) == [2, 1]
    assert tree.flatten_with_path(Point(1, {"k": 2})) == [((0,), 1), ((1, "k"), 2)]


def test_leaves():
    matrix = sparse.BCOO.fromdense(jnp.eye(2))
    for leaf in ({1, 2}, "ab", matrix, range(3), None):
        assert not tree.is_nested(leaf)
        assert tree.flatten([leaf])[0] is leaf


def test_none_that_is_no_leaf_stays():
    assert tree.map_structure(str, [None, 1], none_is_leaf=False) == [None, "1"]
    with pytest.raises(ValueError, match="same nested structure"):
        tree.map_structure(lambda x, y: x, [None], [1], none_is_leaf=False)


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (1, [], "leaf"),
        ([], 1, "list"),
        ((1,), [1], "tuple"),
        (Point(1, 2), namedtuple("Other", "x y")(1, 2), "namedtuple Point"),
        ([1, 2], [1], "arity"),
        ({"a": 1}, {"b": 1}, "key"),
    ],
)
def test_unequal_structures_are_named(a, b, text):
    with pytest.raises(ValueError, match=text):
        tree.assert_same_structure(a, b)
    called = []
    with pytest.raises(ValueError, match=text):
        tree.map_structure(lambda *x: called.append(x), [0, a], [0, b])
    assert not called


def test_dicts_are_alike():
    ours = {"a": 1, "b": 2}
    other = OrderedDict(b=20, a=10)
    assert tree.map_structure(lambda x, y: x + y, ours, other) == {"a": 11, "b": 22}
    tree.assert_same_paths([1, {"k": 2}], (3, {"k": 4}))
    with pytest.raises(ValueError, match="same paths"):
        tree.assert_same_paths([1], [1, 2])


def test_map_structure_up_to_keeps_what_lies_below():
    out = tree.map_structure_up_to(["a", ["b"]], len, [[1, 2], [(3, 4, 5)]])
    assert out == [2, [3]]
    with pytest.raises(ValueError, match="arity"):
        tree.map_structure_up_to(["a"], len, [[1], [2]])


def test_traverse():
    seen = []

    def visit(x):
        seen.append(x)
        return tree.MAP_TO_NONE if x == 2 else None

    assert tree.traverse(visit, [1, {"k": 2}]) == [1, {"k": None}]
    assert seen == [[1, {"k": 2}], 1, {"k": 2}, 2]
    seen.clear()
    assert tree.traverse(visit, [1, {"k": 2}], top_down=False) == [1, {"k": None}]
    assert seen == [1, 2, {"k": None}, [1, {"k": None}]]


def test_bad_arguments_are_named():
    for function in (tree.map_structure, tree.traverse, tree.map_shape_structure):
        with pytest.raises(TypeError, match="callable"):
            function("no", [1])
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(len)
    with pytest.raises(TypeError, match="iterable"):
        tree.pack_sequence_as([1], 1)
    with pytest.raises(ValueError, match="expected: 2.*1 were given"):
        tree.pack_sequence_as([1, 2], [1])


def test_shapes():
    shapes = {"a": [1, None], "b": [(2,), "x"]}
    out = tree.map_shape_structure(lambda s: len(s), shapes)
    assert out == {"a": 2, "b": [1, 1]}
    assert tree.lists_to_tuples([1, {"k": [2, [3]]}]) == (1, {"k": (2, (3,))})


def test_sets_held_by_layers_are_containers():
    layer = Layer()
    layer.a = {1, 2}
    assert layer.a == {1, 2} and isinstance(layer.a, set)
    assert tree.is_nested(layer.a) and not tree.is_nested({1, 2})
    assert sorted(tree.flatten([layer.a, 3])) == [1, 2, 3]
    mapped = tree.map_structure(lambda x: x + 1, layer.a)
    assert mapped == {2, 3} and type(mapped) is type(layer.a)
