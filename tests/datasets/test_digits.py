import numpy as np

from minikeras.datasets import digits


def test_shapes_types_and_range():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 8, 8) and y_train.shape == (1438,)
    assert x_test.shape == (359, 8, 8) and y_test.shape == (359,)
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8
    assert x_train.min() == x_test.min() == 0
    assert x_train.max() == x_test.max() == 16


def test_every_class_in_both_parts():
    (_, y_train), (_, y_test) = digits.load_data()
    assert np.bincount(y_train).min() > 130 and len(np.bincount(y_train)) == 10
    assert np.bincount(y_test).min() > 30 and len(np.bincount(y_test)) == 10


def test_parts_share_no_image():
    (x_train, _), (x_test, _) = digits.load_data()
    train = {image.tobytes() for image in x_train}
    assert not any(image.tobytes() in train for image in x_test)


def test_fixed_split():
    (first, _), _ = digits.load_data()
    (second, y), _ = digits.load_data()
    np.testing.assert_array_equal(first, second)
    first[:] = 0  # callers own what they get
    assert digits.load_data()[0][0].any()
    assert len(set(y[-200:].tolist())) == 10
