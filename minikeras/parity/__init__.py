"""Proofs that nothing changed, or the layer and the step where it did.

`minikeras parity SCRIPT` is the same from the command line.
"""

from minikeras.parity.asserts import assert_layer_parity
from minikeras.parity.asserts import assert_model_parity
from minikeras.parity.exchange import from_keras
from minikeras.parity.exchange import to_keras
from minikeras.parity.script import run_script
from minikeras.parity.trajectory import assert_trajectory_parity
from minikeras.parity.verdict import Difference
from minikeras.parity.verdict import Verdict

__all__ = [
    "Difference",
    "Verdict",
    "assert_layer_parity",
    "assert_model_parity",
    "assert_trajectory_parity",
    "from_keras",
    "run_script",
    "to_keras",
]
