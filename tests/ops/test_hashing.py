"""FarmHash and SipHash: goldens for all lengths, and the packages if installed."""

import struct

import numpy as np
import pytest

from minikeras.ops import hashing

RNG = np.random.default_rng(0)
STRINGS = [RNG.bytes(n) for n in range(301)] + [b"", b"\0", bytes(64), RNG.bytes(5000)]
# What pyfarmhash 0.5.1 and siphash24 1.9 give for b"x" * n.
LENGTHS = [0, 1, 3, 4, 7, 8, 16, 17, 32, 33, 64, 65, 128, 129, 300]
FARM = [
    11160318154034397263,
    13942860475667539970,
    3091163115821544028,
    15555293474005501102,
    15062398191181189679,
    14251512899351120510,
    3320895591121647644,
    11306081951414300581,
    12901576723999808517,
    12270365409943098935,
    6916188127298655160,
    4935023790501551929,
    5868382771906808855,
    17793147381016297142,
    15967219322366828245,
]
SIP = [
    4928313950774450900,
    3611511568115464981,
    7781589559229495540,
    11417501774638559551,
    2627419771412535237,
    11398972927888352955,
    3062600254328431651,
    8812240840814877026,
    814092544179586341,
    7959349581776540777,
    8261463781227458993,
    3290820704696412478,
    18315805339845094785,
    14077982255864753582,
    1380024516739751416,
]


def test_goldens():
    strings = [b"x" * n for n in LENGTHS]
    assert hashing.fingerprint64(strings).tolist() == FARM
    assert hashing.siphash24(strings, [133, 137]).tolist() == SIP


def test_farmhash_equals_the_package():
    farmhash = pytest.importorskip("farmhash")
    expected = [farmhash.fingerprint64(s) % 2**64 for s in STRINGS]
    assert hashing.fingerprint64(STRINGS).tolist() == expected


@pytest.mark.parametrize("key", [(1, 2), (2**63 + 5, 7), (-3, 2**64 - 1)])
def test_siphash_equals_the_package(key):
    package = pytest.importorskip("siphash24")
    data = struct.pack("<QQ", *(k % 2**64 for k in key))
    digests = [package.siphash24(s, key=data).intdigest() for s in STRINGS]
    expected = [d % 2**64 for d in digests]
    assert hashing.siphash24(STRINGS, key).tolist() == expected


def test_no_strings():
    assert hashing.fingerprint64([]).shape == (0,)
    assert hashing.siphash24([], [1, 2]).shape == (0,)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["ä", "b"], ["ä".encode(), b"b"]),
        (np.array([b"a", b"bc"]), [b"a", b"bc"]),
        (np.array([-3, 12]), [b"-3", b"12"]),
        ([1.9, -1.9], [b"1", b"-1"]),
        ([True, False], [b"true", b"false"]),
        (np.array([["a"], [b"b"]], object), [b"a", b"b"]),
    ],
)
def test_to_bytes(values, expected):
    assert hashing.to_bytes(values) == expected
