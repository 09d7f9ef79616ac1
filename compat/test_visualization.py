"""Segmentation masks drawn into images, against Keras. Boxes need OpenCV there."""

import keras
import numpy as np
import pytest

from minikeras import visualization

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("blend", [True, False])
@pytest.mark.parametrize("ignore_index", [-1, 0, 2])
def test_segmentation_masks(blend, ignore_index):
    images = RNG.integers(0, 255, (2, 7, 9, 3), dtype="uint8")
    masks = RNG.integers(0, 4, (2, 7, 9, 1)).astype("int32")
    options = {"num_classes": 4, "blend": blend, "ignore_index": ignore_index}
    theirs = keras.visualization.draw_segmentation_masks(images, masks, **options)
    ours = visualization.draw_segmentation_masks(images, masks, **options)
    assert ours.dtype == np.asarray(theirs).dtype
    np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-3)
