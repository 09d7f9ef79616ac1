"""How far arrays are apart."""

import numpy as np

from minikeras.parity.distance import apart, size, worst_element


def test_relative_to_the_largest_value():
    a, b = np.array([100.0, 1.0]), np.array([100.0, 1.1])
    assert np.isclose(apart(a, b), 0.1 / 100)
    # Beside zero, to 1e-3: 1e-8 next to nothing is rounding.
    assert np.isclose(apart(np.array([1e-8]), np.array([0.0])), 1e-5)
    assert apart(np.array([1e-6]), np.array([0.0]), 0.0) == 1.0


def test_unlike_arrays_are_infinitely_far_apart():
    ones = np.ones(3)
    assert apart(ones, np.ones(4)) == np.inf
    assert apart(ones, np.array([1, np.nan, 1])) == np.inf
    assert apart(np.array([np.inf]), np.array([-np.inf])) == np.inf
    assert apart(np.array([np.nan, 1]), np.array([np.nan, 1])) == 0
    assert apart(np.array(["a"]), np.array(["b"])) == np.inf
    assert apart(np.array([]), np.array([])) == 0


def test_integers_and_booleans():
    assert apart(np.array([True, False]), np.array([True, True])) == 1
    # A seed is another one, however large.
    assert apart(np.array([2**31], "uint32"), np.array([2**31 + 1], "uint32")) == 1
    assert size(np.array([-3, 2])) == 3


def test_words_name_the_place():
    a, b = np.zeros((2, 3)), np.zeros((2, 3))
    b[1, 2] = 0.5
    assert worst_element(a, b) == "0 there, 0.5 here at [1, 2]"
    assert worst_element(a, b[0]) == "shape (2, 3) there, (3,) here"
