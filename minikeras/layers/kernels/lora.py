"""Low-rank adaptation (LoRA): fine-tune a frozen kernel through two small matrices."""

from typing import Any

import numpy as np

from minikeras.layers.kernels.kernel import Kernel


def low_rank_update(kernel: Any, a: Any, b: Any, scale: float) -> Any:
    """kernel + scale · a @ b: (..., n) + (..., rank) @ (rank, n)."""
    return kernel + scale * (a @ b)


class LoRAKernel(Kernel):
    """A frozen kernel W and its update: W + (lora_alpha / lora_rank) A B.

    Args:
        variable: W.
        layer: has `lora_alpha`, `lora_rank`, and the matrices A and B as
            `lora_<name>_a` and `lora_<name>_b`. All are read in each call, so that
            users may set them.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685.
    """

    def __init__(self, variable: Any, layer: Any):
        super().__init__(variable)
        self._layer = layer

    def _matrices(self):
        name = f"lora_{self._layer._mk_kernel_name}"
        return getattr(self._layer, f"{name}_a"), getattr(self._layer, f"{name}_b")

    def value(self) -> Any:
        """The updated kernel, an array of W's dtype."""
        w, layer = self.variable.value, self._layer
        a, b = (v.value.astype(w.dtype) for v in self._matrices())
        return low_rank_update(w, a, b, layer.lora_alpha / layer.lora_rank)

    def to_store(self) -> np.ndarray:
        """The updated kernel: a layer without LoRA computes the same with it."""
        return np.asarray(self.value())

    def from_store(self, array: Any) -> None:
        """Take W from a file; the file's kernel holds the update, so A and B are 0."""
        super().from_store(array)
        for v in self._matrices():
            v.assign(v.value * 0)
