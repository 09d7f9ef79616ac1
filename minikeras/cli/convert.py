"""Write a model or its weights in another format; the suffixes choose both.

Models: .keras and .h5. Weights: .weights.h5, .weights.json and .safetensors.
"""

import argparse
import pathlib
from typing import Any

from minikeras.core.printing import print_msg
from minikeras.models import model_from_json
from minikeras.saving import load_model
from minikeras.saving.safety import open_regular

_WEIGHTS = (".weights.h5", ".weights.json", ".safetensors")
_MODELS = (".keras", ".h5", ".hdf5")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("source", help="file to read")
    parser.add_argument("target", help="file to write")
    parser.add_argument(
        "--model", help="model whose weights the source holds: .keras, .h5 or .json"
    )
    parser.add_argument(
        "--max-shard-size",
        type=float,
        default=1.0,
        help="size of the largest file in GiB, with .weights.json",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the target if it exists"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    target = pathlib.Path(args.target)
    if not target.name.endswith(_WEIGHTS + _MODELS):
        raise ValueError(
            f"{target}: expected one of the suffixes {', '.join(_WEIGHTS + _MODELS)}."
        )
    if target.exists() and not args.overwrite:
        raise ValueError(f"{target} exists. Give --overwrite to replace it.")
    model = _read(args.source, args.model)
    if target.name.endswith(".weights.json"):
        model.save_weights(target, max_shard_size=args.max_shard_size)
    elif target.name.endswith(_WEIGHTS):
        model.save_weights(target)
    else:
        model.save(target)
    print_msg(f"Wrote {target}: {model.count_params():,} parameters.")
    return 0


def _read(source: str, architecture: str | None) -> Any:
    """The model of a file, or the model `architecture` with the weights of the file."""
    if architecture is None:
        if source.endswith(_WEIGHTS):
            raise ValueError(
                f"{source} holds weights and no model. Give the model it was saved "
                "from: --model model.keras (or .h5, .json)."
            )
        if source.endswith(".json"):
            raise ValueError(f"{source} holds a model without weights.")
        return load_model(source)
    if architecture.endswith(".json"):
        with open_regular(architecture) as file:
            model = model_from_json(file.read().decode())
    else:
        model = load_model(architecture)
    model.load_weights(source)
    return model
