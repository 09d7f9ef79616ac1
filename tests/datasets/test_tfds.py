"""A set of TensorFlow Datasets that the test prepares, read without TensorFlow."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import numpy as np
import tensorflow_datasets as tfds
import minikeras as keras

PIXELS = np.random.RandomState(0).randint(0, 256, (8, 6, 5, 3)).astype("uint8")

class TinyImages(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(6, 5, 3)),
            "grey": tfds.features.Image(shape=(6, 5, 1)),
            "number": np.int64,
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        keys = ("image", "label") if "keys" in sys.argv else None
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=keys,
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        if "needs tensorflow" in sys.argv:
            import tensorflow
        for i, x in enumerate(PIXELS):
            sample = {"image": x, "grey": x[..., :1], "number": i, "label": i % 2}
            yield i, sample

def load(**options):
    return keras.datasets.from_tfds("tiny_images", data_dir=sys.argv[1], **options)

try:
    pairs = load()
except Exception as error:
    print(type(error).__name__, error)
    raise SystemExit
dicts, half = load(split=["train", "train[:50%]"], as_supervised=False)
assert len(pairs) == 8 and len(half) == 4
for (x, y), sample in zip(pairs, dicts):
    assert (x == PIXELS[sample["number"]]).all() and y == sample["number"] % 2
    assert (sample["grey"] == PIXELS[sample["number"]][..., :1]).all()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
model.compile("sgd", "sparse_categorical_crossentropy")
assert model.fit(pairs, batch_size=3, verbose=0).params["steps"] == 3
print("tensorflow" in sys.modules)
"""


@pytest.mark.parametrize(
    "words, expected",
    [
        (["keys"], "False"),
        ([], "ValueError from_tfds: 'tiny_images' does not say which"),
        (["keys", "needs tensorflow"], "ImportError from_tfds: 'tiny_images' cannot"),
    ],
)
def test_from_tfds(tmp_path, words, expected):
    pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("array_record")
    try:
        import tensorflow  # noqa: F401
    except ImportError:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), *words]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.stdout.strip().splitlines()[-1].startswith(expected), run.stderr
    else:
        pytest.skip("TensorFlow is installed")


def test_without_the_packages(monkeypatch):
    import minikeras as keras

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="pip install"):
        keras.datasets.from_tfds("mnist")
