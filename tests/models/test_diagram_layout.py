"""The layout of diagrams: ranks, crossings, distances."""

import itertools

import numpy as np
import pytest

from minikeras.models import diagram_layout as layout
from minikeras.models.diagram import Diagram

GRAPHS = {
    "chain": (4, [(0, 1), (1, 2), (2, 3)]),
    "diamond": (4, [(0, 1), (0, 2), (1, 3), (2, 3)]),
    "skip": (4, [(0, 1), (1, 2), (2, 3), (0, 3)]),
    "dense": (5, list(itertools.combinations(range(5), 2))),
    "two": (6, [(0, 2), (1, 2), (2, 3), (4, 5)]),
    "crossed": (6, [(0, 4), (1, 3), (0, 5), (2, 3)]),
    "circle": (4, [(0, 1), (1, 2), (2, 1), (2, 3)]),
    "alone": (3, []),
    "none": (0, []),
}


def longest_paths(count, edges):
    """By the definition: the most edges that a path to the vertex has."""
    into = [[a for a, b in edges if b == i] for i in range(count)]
    length = lambda i: 1 + max(map(length, into[i])) if into[i] else 0  # noqa: E731
    return [length(i) for i in range(count)]


@pytest.mark.parametrize("name", ["chain", "diamond", "skip", "dense"])
def test_ranks_are_longest_paths(name):
    assert layout.ranks_of(*GRAPHS[name]) == longest_paths(*GRAPHS[name])


def test_a_source_stands_before_what_it_leads_to():
    edges = [(0, 1), (1, 2), (2, 3), (4, 3)]
    assert layout.ranks_of(5, edges) == [0, 1, 2, 3, 2]


def test_circles_are_opened():
    assert layout.ranks_of(*GRAPHS["circle"]) == [0, 1, 2, 3]
    assert layout.ranks_of(2, [(0, 1), (1, 0), (1, 1)]) == [0, 1]


def test_long_edges_pass_through_each_rank():
    layers = layout.layers_of(*GRAPHS["skip"])
    assert layers.chains[0, 3] == [0, 4, 5, 3]
    assert [sorted(row) for row in layers.rows] == [[0], [1, 4], [2, 5], [3]]


def test_crossings_are_removed():
    layers = layout.layers_of(*GRAPHS["crossed"])
    links = layout.links_of(layers)
    around = layout.neighbours(layers.rows, links)
    place = {v: i for row in layers.rows for i, v in enumerate(row)}
    crossed = [
        (p, q)
        for p, q in itertools.combinations(links, 2)
        if (place[p[0]] - place[q[0]]) * (place[p[1]] - place[q[1]]) < 0
    ]
    assert not crossed and layout._crossings(layers.rows, around) == 0
    assert layout._crossings([[0, 1, 2], [3, 4, 5]], around) == 4


def test_spread_is_the_nearest_placement():
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted, sizes = rng.normal(0, 3, 5), rng.uniform(0, 2, 5)
        found = layout.spread(wanted, sizes, 0.5)
        least = (sizes[:-1] + sizes[1:]) / 2 + 0.5
        assert (np.diff(found) >= least - 1e-9).all()
        # No allowed placement nearby is nearer to what is wanted.
        for _ in range(200):
            other = found + rng.normal(0, 0.1, 5)
            if (np.diff(other) >= least).all():
                assert ((other - wanted) ** 2).sum() > ((found - wanted) ** 2).sum()


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_keep_their_distance_and_lines_are_straight(name):
    count, edges = GRAPHS[name]
    layers = layout.layers_of(count, edges)
    widths = {i: 1.0 + i / 2 for i in range(count)}
    x = layout.coordinates(layers, widths, 0.25)
    for row in layers.rows:
        for a, b in itertools.pairwise(row):
            least = (widths.get(a, 0.0) + widths.get(b, 0.0)) / 2 + 0.25
            assert x[b] - x[a] >= least - 1e-9
    lines = layout.lines_of(layers.rows, layout.links_of(layers))
    for line in lines if name != "dense" else []:  # there they hinder each other
        assert np.ptp([x[v] for v in line]) < 1e-9
    if count:
        assert abs(min(x[v] - widths.get(v, 0.0) / 2 for v in x)) < 1e-9


def overlap(a, b):
    return all(abs(a[i] - b[i]) < (a[i + 2] + b[i + 2]) / 2 - 1e-9 for i in (0, 1))


def inside(box, frame):
    return all(
        abs(box[i] - frame[i]) + box[i + 2] / 2 <= frame[i + 2] / 2 + 1e-9
        for i in (0, 1)
    )


def test_frames_hold_their_boxes_and_no_others():
    nested = Diagram("inner", [("b", 0), ("c", 0)], [("b", "c"), ("c", "c")])
    parts = [("a", 0), nested, ("d", 0), ("e", 0)]
    edges = [("a", "b"), ("a", "d"), ("c", "e"), ("d", "e"), ("c", "b")]
    sizes = dict.fromkeys("abcde", (2.0, 0.5))
    placed = layout.arrange(Diagram("outer", parts, edges), sizes, (0.0, 0.25))
    boxes, ((name, frame),) = placed.boxes, placed.frames
    assert sorted(boxes) == list("abcde") and name == "inner"
    for a, b in itertools.combinations(boxes.values(), 2):
        assert not overlap(a, b)
    for key, box in boxes.items():
        assert inside(box, frame) == (key in "bc")
        assert overlap(box, frame) == (key in "bc")
        assert box[0] + box[2] / 2 <= placed.size[0] + 1e-9
    # An arrow begins at the end of one box and ends at the begin of another.
    ends = {
        (links[0].start[0], links[-1].end[0], links[0].start[1] < links[-1].end[1])
        for links in placed.routes
    }
    assert (boxes["a"][0], boxes["b"][0], True) in ends
    assert (boxes["d"][0], boxes["e"][0], True) in ends
    assert len(placed.routes) == 5 and len(placed.loops) == 2


def test_arrows_of_two_boxes_share_no_line():
    """Both leave one frame; each is to be followed to its end."""
    frame = Diagram("frame", [("a", 0), ("b", 0)], [])
    parts = [frame, ("c", 0), ("d", 0), ("e", 0)]
    edges = [("a", "d"), ("b", "c"), ("c", "e"), ("d", "e")]
    sizes = dict.fromkeys("abcde", (1.0, 0.3))
    placed = layout.arrange(Diagram("outer", parts, edges), sizes, (0.0, 0.2))
    first, second = (links[0] for links in placed.routes[:2])
    spans = [sorted((k.start[0], k.end[0])) for k in (first, second)]
    meet = spans[0][0] <= spans[1][1] and spans[1][0] <= spans[0][1]
    assert not meet or first.turn != second.turn
    # What leaves one box may share its way.
    fan = Diagram("fan", [(k, 0) for k in "abc"], [("a", "b"), ("a", "c")])
    turns = {links[0].turn for links in layout.arrange(fan, sizes, (0, 0)).routes}
    assert len(turns) == 1
