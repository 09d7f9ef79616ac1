"""Layered drawing of graphs: ranks, the order within them, and coordinates.

Vertices are numbers 0 … n - 1. An edge leads to a later rank; longer edges pass through
vertices of no content, one in each rank between.

Source: Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of
hierarchical system structures".
"""

from collections import Counter, deque
from typing import NamedTuple

import numpy as np

_SWEEPS = 8


class Layers(NamedTuple):
    """Vertices in ranks.

    Args:
        rows: list of lists of vertices, in their order; from n on they are of no
            content.
        chains: {edge: list of its vertices from the lower to the higher rank}.
    """

    rows: list
    chains: dict


def ranks_of(count, edges):
    """The rank of each vertex: the longest path that leads to it.

    A circle is opened at the first of its vertices. Sources stand right before the
    vertices that they lead to.

    Args:
        count: number of vertices.
        edges: list of pairs of vertices.

    >>> ranks_of(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    after = [[b for a, b in edges if a == i and a != b] for i in range(count)]
    missing = [sum(b == i and a != b for a, b in edges) for i in range(count)]
    sources = [i for i in range(count) if not missing[i] and after[i]]
    ranks, done, ready = [0] * count, [False] * count, deque()
    ready.extend(i for i in range(count) if not missing[i])
    for _ in range(count):
        a = ready.popleft() if ready else done.index(False)
        done[a] = True
        for b in after[a]:
            if not done[b]:
                ranks[b] = max(ranks[b], ranks[a] + 1)
                missing[b] -= 1
                if not missing[b]:
                    ready.append(b)
    for i in sources:
        ranks[i] = max(0, min(ranks[b] for b in after[i]) - 1)
    return ranks


def layers_of(count, edges):
    """The vertices in ranks, in an order with few crossings: `Layers`."""
    ranks = ranks_of(count, edges)
    rows = [[] for _ in range(max(ranks, default=-1) + 1)]
    for i, rank in enumerate(ranks):
        rows[rank].append(i)
    chains, number = {}, count
    for a, b in edges:
        low, high = sorted((a, b), key=ranks.__getitem__)
        between = range(ranks[low] + 1, ranks[high])
        chains[a, b] = [low, *range(number, number + len(between)), high]
        for rank in between:
            rows[rank].append(number)
            number += 1
    layers = Layers(rows, chains)
    return layers._replace(rows=_untangled(rows, links_of(layers)))


def _untangled(rows, links):
    """Rows in the best order that sweeps of barycenters find."""
    around = neighbours(rows, links)
    best, least = rows, _crossings(rows, around)
    for sweep in range(_SWEEPS):
        if least == 0:
            break
        rows, down = [list(row) for row in rows], sweep % 2 == 0
        pairs = list(zip(rows, rows[1:], strict=False))
        for above, below in pairs if down else reversed(pairs):
            fixed, moved = (above, below) if down else (below, above)
            place = {v: i for i, v in enumerate(fixed)}
            own = {v: i for i, v in enumerate(moved)}
            keys = {}
            for v in moved:
                seen = [place[u] for u in around[v] if u in place]
                keys[v] = sum(seen) / len(seen) if seen else own[v]
            moved.sort(key=keys.__getitem__)
        count = _crossings(rows, around)
        if count < least:
            best, least = [list(row) for row in rows], count
    return best


def neighbours(rows, links):
    """{vertex: vertices of other ranks that it is linked to}."""
    around = {v: [] for row in rows for v in row}
    for a, b in links:
        if a != b:
            around[a].append(b)
            around[b].append(a)
    return around


def _crossings(rows, around):
    """How many pairs of links between neighbouring ranks cross."""
    total = 0
    for above, below in zip(rows, rows[1:], strict=False):
        place = {v: i for i, v in enumerate(below)}
        ends = []
        for v in above:
            ends += sorted(place[u] for u in around[v] if u in place)
        order = np.asarray(ends)
        total += sum(int((order[:i] > end).sum()) for i, end in enumerate(ends))
    return total


def spread(wanted, sizes, gap):
    """Centres of boxes in a row, in their order, near to wanted ones.

    The minimum of sum_i (x_i - wanted_i)^2, where
    x_{i+1} - x_i >= (size_i + size_{i+1}) / 2 + gap: an isotonic regression.

    Args:
        wanted: list of n floats.
        sizes: list of n widths.
        gap: float, the least distance of two boxes.

    Returns:
        (n,) array of centres.

    Source: Robertson, Wright and Dykstra 1988, the algorithm that pools neighbours.

    >>> spread([1.0, 1.0, 9.0], [2, 2, 2], 1.0).tolist()
    [-0.5, 2.5, 9.0]
    """
    sizes = np.asarray(sizes, float)
    steps = (sizes[:-1] + sizes[1:]) / 2 + gap
    offsets = np.concatenate([[0.0], np.cumsum(steps)])[: len(sizes)]
    pools = []  # (mean, number of boxes)
    for value in np.asarray(wanted) - offsets:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return np.repeat([p[0] for p in pools], [p[1] for p in pools]) + offsets


def coordinates(layers, widths, gap):
    """{vertex: its centre along the rank}, from 0 for the leftmost edge of a box.

    Args:
        layers: `Layers`.
        widths: {vertex: width}; those of no content have the width 0.
        gap: float, the least distance of two boxes.
    """
    rows, links = layers.rows, links_of(layers)
    around = neighbours(rows, links)
    sizes = [[widths.get(v, 0.0) for v in row] for row in rows]
    x = {}
    for row, size in zip(rows, sizes, strict=True):
        x.update(zip(row, spread([0.0] * len(row), size, gap), strict=True))
    lines = lines_of(rows, links)
    ends = [[u for v in line for u in around[v] if u not in line] for line in lines]
    for sweep in range(_SWEEPS):
        wanted = {}
        for line, outer in zip(lines, ends, strict=True):
            middle = np.mean([x[v] for v in (*line, *outer)])
            wanted |= dict.fromkeys(line, middle)
        turn = range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows)))
        for i in turn:
            places = spread([wanted[v] for v in rows[i]], sizes[i], gap)
            x.update(zip(rows[i], places, strict=True))
    _straighten(x, lines, ends, rows, sizes, gap)
    left = min((x[v] - widths.get(v, 0.0) / 2 for v in x), default=0.0)
    return {v: float(value - left) for v, value in x.items()}


def links_of(layers):
    """Pairs of vertices of neighbouring ranks, each once."""
    chains = layers.chains.values()
    return list(dict.fromkeys(k for c in chains for k in zip(c, c[1:], strict=False)))


def lines_of(rows, links):
    """Paths without a branch, which are drawn straight, as lists of vertices.

    >>> lines_of([[0], [1, 2], [3], [4]], [(0, 1), (0, 2), (1, 3), (3, 4)])
    [[0], [1, 3, 4], [2]]
    """
    after = {v: [b for a, b in links if a == v] for row in rows for v in row}
    entering = Counter(b for _, b in links)
    joined = {v: to[0] for v, to in after.items() if len(to) == 1}
    joined = {a: b for a, b in joined.items() if entering[b] == 1}
    lines = []
    for v in after:
        if v not in joined.values():
            lines.append([v])
            while lines[-1][-1] in joined:
                lines[-1].append(joined[lines[-1][-1]])
    return lines


def _straighten(x, lines, ends, rows, sizes, gap):
    """Move each line as a whole, as near to what it is linked to as there is room."""
    room = {}  # {vertex: (left neighbour, its distance, right neighbour, its distance)}
    for row, size in zip(rows, sizes, strict=True):
        steps = [(a + b) / 2 + gap for a, b in zip(size, size[1:], strict=False)]
        left = zip([None, *row[:-1]], [0.0, *steps], strict=True)
        right = zip([*row[1:], None], [*steps, 0.0], strict=True)
        room |= {v: (*p, *q) for v, p, q in zip(row, left, right, strict=True)}
    for _ in range(_SWEEPS):
        for line, outer in zip(lines, ends, strict=True):
            least, most = -np.inf, np.inf
            for v in line:
                before, near, behind, far = room[v]
                least = max(least, -np.inf if before is None else x[before] + near)
                most = min(most, np.inf if behind is None else x[behind] - far)
            if least <= most:
                wanted = np.mean([x[v] for v in outer or line])
                x |= dict.fromkeys(line, min(max(wanted, least), most))


def tracks(intervals):
    """Numbers of tracks for intervals: those that overlap have different ones.

    Args:
        intervals: list of (start, end, group); those of one group may overlap.

    >>> tracks([(0, 2, "a"), (1, 3, "b"), (2.5, 4, "c"), (0, 4, "a")])
    [0, 1, 2, 0]
    """
    numbers, used = [0] * len(intervals), []
    for i in sorted(range(len(intervals)), key=lambda i: -_length(intervals[i])):
        start, end, group = intervals[i]
        free = (
            number
            for number, track in enumerate(used)
            if all(g == group or b < start or end < a for a, b, g in track)
        )
        numbers[i] = next(free, len(used))
        if numbers[i] == len(used):
            used.append([])
        used[numbers[i]].append((start, end, group))
    return numbers


def _length(interval):
    return interval[1] - interval[0]


# Inches.
_GAP, _TRACK, _RANK_GAP, _MARGIN, _LOOP = 0.25, 0.09, 0.4, 0.15, 0.3


class Link(NamedTuple):
    """A piece of an arrow, from one rank to the next.

    Args:
        start, end: points (across, along).
        turn: float, where along the ranks it goes across.
    """

    start: tuple
    end: tuple
    turn: float


class Arrangement(NamedTuple):
    """Where the parts of a diagram are, in inches from its first corner.

    Args:
        size: (across the ranks, along them).
        boxes: {key: (across, along, width, height)}, of the middle.
        frames: list of (name, (across, along, width, height)).
        routes: list of lists of `Link`s, each an arrow.
        loops: list of lists of points, arrows back to the same rank.
    """

    size: tuple
    boxes: dict
    frames: list
    routes: list
    loops: list


def arrange(diagram, sizes, title):
    """The `Arrangement` of a `Diagram`.

    Args:
        diagram: the diagram; nested ones become frames.
        sizes: {key: (across, along)} of the boxes.
        title: (across, along), the room of a frame's name; below 0 for its end.
    """
    inner = [
        arrange(part, sizes, title) if hasattr(part, "parts") else None
        for part in diagram.parts
    ]
    parts = list(enumerate(zip(diagram.parts, inner, strict=True)))
    owner = {}
    for i, (part, arranged) in parts:
        for key in [part[0]] if arranged is None else arranged.boxes:
            owner.setdefault(key, i)
    pairs = [(a, b) for a, b in diagram.edges if a in owner and b in owner]
    edges = {(owner[a], owner[b]) for a, b in pairs if owner[a] != owner[b]}
    layers = layers_of(len(inner), sorted(edges))
    rank = {v: i for i, row in enumerate(layers.rows) for v in row}
    sideways = [p for p in pairs if rank[owner[p[0]]] == rank[owner[p[1]]]]
    looped = {owner[key] for pair in sideways for key in pair}
    outer = {}
    for i, (part, arranged) in parts:
        size = sizes[part[0]] if arranged is None else _framed(arranged.size, title)
        outer[i] = size[0] + 2 * _LOOP * (i in looped), size[1]
    x = coordinates(layers, {i: size[0] for i, size in outer.items()}, _GAP)
    ways = _ways(pairs, layers, x, _across(parts, x, title), owner, rank)
    rows, turns = _along(layers.rows, outer, ways)
    found = Arrangement((0.0, 0.0), {}, [], [], [])
    for i, (part, arranged) in parts:
        box = (x[i], sum(rows[rank[i]]) / 2, *outer[i])
        if arranged is None:
            found.boxes.setdefault(part[0], (*box[:2], *sizes[part[0]]))
        else:
            _place(found, part.name, arranged, box, title)
    for a, b in pairs:
        ends = found.boxes[a], found.boxes[b]
        if (a, b) in sideways:
            right = max(x[owner[k]] + outer[owner[k]][0] / 2 for k in (a, b))
            found.loops.append(_loop(*ends, right - _LOOP / 3))
        else:
            found.routes.append(_route(*ends, ways[a, b], rows, turns[a, b]))
    across = max([x[i] + outer[i][0] / 2 for i in outer] + [*x.values(), 0.0])
    return found._replace(size=(across, rows[-1][1] if rows else 0.0))


def _framed(size, title):
    """The size of a frame around an arrangement, with its name."""
    return tuple(
        side + 2 * _MARGIN + abs(room) for side, room in zip(size, title, strict=True)
    )


def _place(found, name, arranged, box, title):
    """Add a frame, which fills a box, to an arrangement, and what is in it."""
    found.frames.append((name, box))
    inner = [m + room / 2 for m, room in zip(box, title, strict=False)]
    corner = [m - side / 2 for m, side in zip(inner, arranged.size, strict=True)]
    moved = _shifted(arranged, corner)
    for key, value in moved.boxes.items():
        found.boxes.setdefault(key, value)
    found.frames.extend(moved.frames)
    found.routes.extend(moved.routes)
    found.loops.extend(moved.loops)


def _across(parts, x, title):
    """{key of a box: where it is across the ranks}, of those in frames, too."""
    places = {}
    for i, (part, arranged) in parts:
        if arranged is None:
            places.setdefault(part[0], x[i])
            continue
        corner = x[i] + (title[0] - arranged.size[0]) / 2
        for key, box in arranged.boxes.items():
            places.setdefault(key, corner + box[0])
    return places


def _ways(pairs, layers, x, places, owner, rank):
    """{(from, to): [(rank, across, across in the next rank)]}, by rising ranks."""
    ways = {}
    for a, b in pairs:
        chain = layers.chains.get((owner[a], owner[b]), ())
        if len({rank[v] for v in chain}) > 1:
            low, high = (a, b) if chain[0] == owner[a] else (b, a)
            across = [places[low], *(x[v] for v in chain[1:-1]), places[high]]
            steps = zip(chain, across, across[1:], strict=False)
            ways[a, b] = [(rank[v], start, end) for v, start, end in steps]
    return ways


def _along(rows, sizes, ways):
    """([(start, end) of each rank], {(from, to): where each link of it turns})."""
    extents, turns, start = [], {pair: [] for pair in ways}, 0.0
    for i, row in enumerate(rows):
        end = start + max(sizes[v][1] if v in sizes else 0.0 for v in row)
        extents.append((start, end))
        here = [
            (pair, *sorted(step[1:]))
            for pair, way in ways.items()
            for step in way
            if step[0] == i
        ]
        bent = [k for k, (_, low, high) in enumerate(here) if high - low > 1e-6]
        numbers = tracks([(*here[k][1:], here[k][0][0]) for k in bent])
        count = max(numbers, default=0) + 1
        gap = _RANK_GAP + _TRACK * (count - 1)
        where = dict(zip(bent, numbers, strict=True))
        for k, (pair, *_) in enumerate(here):
            number = where.get(k, (count - 1) / 2)
            turns[pair].append(end + gap * (number + 1) / (count + 1))
        start = end + gap
    return extents, turns


def _route(first, last, way, rows, turns):
    """The links of an arrow from one box to another, through the ranks between."""
    back = first[1] > last[1]
    low, high = (last, first) if back else (first, last)
    links, start = [], (low[0], low[1] + low[3] / 2)
    for (rank, _, across), turn in zip(way, turns, strict=True):
        end, after = ((across, edge) for edge in rows[rank + 1])
        if len(links) == len(way) - 1:
            end = high[0], high[1] - high[3] / 2
        links.append(Link(start, end, turn))
        start = after
    if back:
        links = [Link(k.end, k.start, k.turn) for k in reversed(links)]
    return links


def _loop(first, last, right):
    """Points of an arrow that leaves and enters boxes at the side."""
    leave, enter = first[1] + first[3] / 4, last[1] - last[3] / 4
    start, end = first[0] + first[2] / 2, last[0] + last[2] / 2
    return [(start, leave), (right, leave), (right, enter), (end, enter)]


def _shifted(arranged, by):
    """The arrangement at another place."""
    dx, dy = by
    move = lambda p: (p[0] + dx, p[1] + dy, *p[2:])  # noqa: E731
    return arranged._replace(
        boxes={key: move(box) for key, box in arranged.boxes.items()},
        frames=[(name, move(box)) for name, box in arranged.frames],
        routes=[
            [Link(move(k.start), move(k.end), k.turn + dy) for k in links]
            for links in arranged.routes
        ],
        loops=[[move(point) for point in points] for points in arranged.loops],
    )
