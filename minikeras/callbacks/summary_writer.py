"""SummaryWriter: what TensorBoard shows of a run, written to a folder."""

import json
import os

import numpy as np

from minikeras.callbacks import model_graph, summaries
from minikeras.callbacks.event_file import GRAPH, SUMMARY, EventFile


class SummaryWriter:
    """Writes scalars, histograms, images and text that TensorBoard shows.

    The methods have the names and arguments of `tf.summary`. Threads may share a
    writer, so a compiled step can call it through `jax.debug.callback`. The file is
    made with the first summary.

    Args:
        folder: folder of the run.

    Attributes:
        step: the step of summaries that are written without one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     writer = SummaryWriter(folder)
    ...     writer.scalar("temperature", 21.5, step=3)
    ...     writer.close()
    """

    def __init__(self, folder):
        self.folder = os.fspath(folder)
        self.step = 0
        self._purge_from = None
        self._file = None

    def __getstate__(self):
        return vars(self) | {"_file": None}

    def purge_from(self, step):
        """Make TensorBoard forget what older files of the run hold from a step on.

        Args:
            step: int, the first step that is written again.
        """
        self.close()
        self._purge_from = step

    def add(self, summary, step=None, wall_time=None):
        """Write the bytes of a summary, as the functions of `summaries` make them.

        Args:
            summary: bytes.
            step: int; None: the attribute `step`.
            wall_time: seconds since 1970; None: now.
        """
        step = self.step if step is None else int(step)
        self._events().add(step, (SUMMARY, summary), wall_time=wall_time)

    def _events(self):
        if self._file is None:
            self._file = EventFile(self.folder, self._purge_from)
            self._purge_from = None
        return self._file

    def scalar(self, name, data, step=None):
        """Write a number.

        Args:
            name: str, the tag.
            data: number, or array with one.
            step: int; None: the attribute `step`.

        Raises:
            ValueError: `data` is an array with more numbers or none.
        """
        value = np.asarray(data)
        if value.size != 1:
            raise ValueError(
                f"scalar {name!r}: expected one number, got an array of shape "
                f"{value.shape}. Write its mean, or a histogram."
            )
        self.add(summaries.scalar(name, value.reshape(())), step)

    def histogram(self, name, data, step=None, buckets=None):
        """Write how values are distributed; NaN and infinite ones do not count.

        Args:
            name: str, the tag.
            data: array of any shape.
            step: int; None: the attribute `step`.
            buckets: number of buckets; None: 30.
        """
        self.add(summaries.histogram(name, np.asarray(data), buckets), step)

    def image(self, name, data, step=None, max_outputs=3):
        """Write images.

        Args:
            name: str, the tag.
            data: (n, height, width, channels) or (height, width, channels), of 1 to 4
                channels: integers in [0, 255] or floats in [0, 1].
            step: int; None: the attribute `step`.
            max_outputs: number of images that are written at most.

        Raises:
            ValueError: `data` has another shape.
        """
        pixels = np.asarray(data)
        pixels = pixels[None] if pixels.ndim == 3 else pixels
        if pixels.ndim != 4 or pixels.shape[-1] not in (1, 2, 3, 4):
            raise ValueError(
                f"image {name!r}: expected (n, height, width, channels) with 1 to 4 "
                f"channels, got the shape {np.shape(data)}."
            )
        self.add(summaries.images(name, pixels, max_outputs), step)

    def text(self, name, data, step=None):
        """Write a text in Markdown, or an array of texts as a table.

        Args:
            name: str, the tag.
            data: str, or (nested) list of them.
            step: int; None: the attribute `step`.
        """
        self.add(summaries.text(name, data), step)

    def graph(self, model):
        """Write the layers of a model and how they are connected.

        Args:
            model: a built model.
        """
        config = model_graph.config_of(model)
        if config is not None:
            self.add(summaries.keras_model("keras", json.dumps(config)), 0)
        self._events().add(0, (GRAPH, model_graph.graph_def(model, config)))

    def flush(self):
        """Write to the file what is kept in memory."""
        if self._file is not None:
            self._file.flush()

    def close(self):
        """Close the file; the next summary makes another one."""
        if self._file is not None:
            self._file.close()
            self._file = None
