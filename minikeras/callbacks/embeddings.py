"""Weights of Embedding layers as files that TensorBoard's projector reads."""

import json
import pathlib

import numpy as np

from minikeras.layers import Embedding
from minikeras.saving.atomic_files import replace_file


class EmbeddingsWriter:
    """Writes the weights of Embedding layers as tables, with a config that names them.

    Args:
        model: a built model.
        folder: folder in which the projector looks; the tables go to `embeddings`.
        metadata: path of a file with a line for each row; a dict {name of the layer:
            path}; or None.

    Raises:
        ValueError: the dict names a layer that the model does not have.
    """

    def __init__(self, model, folder, metadata=None):
        folder = pathlib.Path(folder)
        layers = model._mk_flatten_layers(include_self=False)
        self._layers = {x.name: x for x in layers if isinstance(x, Embedding)}
        paths = metadata if isinstance(metadata, dict) else {}
        if unknown := sorted({*paths} - {*self._layers}):
            raise ValueError(
                "TensorBoard: embeddings_metadata names layers that are no Embedding "
                f"of the model: {unknown}; it has {sorted(self._layers)}."
            )
        entries = []
        for name, layer in self._layers.items():
            file = paths.get(name) if isinstance(metadata, dict) else metadata
            # The order of the fields in TensorBoard's own files.
            entry = {"tensor_name": layer.embeddings.path}
            entry |= {} if file is None else {"metadata_path": str(file)}
            entry["tensor_path"] = f"embeddings/{_file_name(name)}"
            lines = "".join(f"  {k}: {json.dumps(v)}\n" for k, v in entry.items())
            entries.append(f"embeddings {{\n{lines}}}\n")
        self._folder = folder / "embeddings"
        self._folder.mkdir(parents=True, exist_ok=True)
        with replace_file(folder / "projector_config.pbtxt") as file:
            file.write("".join(entries).encode())

    def write(self):
        """Write the tables with the weights of now."""
        for name, layer in self._layers.items():
            table = layer.embeddings.numpy().astype(np.float32)
            with replace_file(self._folder / _file_name(name)) as file:
                np.savetxt(file, table, fmt="%.7g", delimiter="\t")


def _file_name(layer_name):
    return layer_name.replace("/", "_") + ".tsv"
