"""Low-rank adaptation (LoRA): fine-tune a frozen kernel through two small matrices."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.core.checks import positive_int
from minikeras.layers.kernels.kernel import Kernel, KernelLayer


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
        layer, name = self._layer, f"lora_{self._layer._mk_kernel_name}"
        try:
            return getattr(layer, f"{name}_a"), getattr(layer, f"{name}_b")
        except AttributeError:
            raise AttributeError(
                f"{type(layer).__name__} {layer.name!r} has no {name}_a and {name}_b, "
                "which `lora_enabled = True` needs: call `enable_lora(rank)`."
            ) from None

    @property
    def value(self) -> Any:
        """The updated kernel, an array of W's dtype."""
        w, layer = self.variable.value, self._layer
        a, b = (jnp.asarray(v, w.dtype) for v in self._matrices())
        return low_rank_update(w, a, b, layer.lora_alpha / layer.lora_rank)

    def to_store(self) -> np.ndarray:
        """The updated kernel: a layer without LoRA computes the same with it."""
        return np.asarray(self.value)

    def from_store(self, array: Any) -> None:
        """Take W from a file; the file's kernel holds the update, so A and B are 0."""
        matrices = self._matrices()  # raises before anything has changed
        super().from_store(array)
        for v in matrices:
            v.assign(v.value * 0)


class LoRALayer(KernelLayer):
    """Mix-in of layers whose kernel LoRA can adapt.

    The layer has the constructor's arguments `lora_rank` and `lora_alpha` as
    attributes, and calls `_mk_start_lora` at the end of its `build`.
    """

    @property
    def lora_enabled(self) -> bool:
        """Is the kernel adapted? Users may switch it off and on.

        On, the layer needs the weights `lora_kernel_a` and `lora_kernel_b`, which
        `enable_lora` makes.
        """
        return isinstance(self._mk_kernel, LoRAKernel)

    @lora_enabled.setter
    def lora_enabled(self, value):
        if value and self._mk_kernel is None:
            raise ValueError(
                f"lora_enabled: {self.name!r} has no kernel to adapt yet. Call it on "
                "data, or call `build(input_shape)`, first."
            )
        if bool(value) != self.lora_enabled:
            variable = self._mk_kernel.variable
            self._mk_kernel = LoRAKernel(variable, self) if value else Kernel(variable)

    def _mk_start_lora(self):
        """Last line of `build`: adapt the weight as the constructor's arguments say."""
        if self.lora_rank:
            # The Variables of a layer that is built again get their adaptation, too.
            self.lora_enabled, self.built = False, True
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the kernel W and train a low-rank update of it instead.

        The layer then computes with W + (lora_alpha / rank) A B.

        Args:
            rank: int >= 1, number of columns of A and rows of B.
            lora_alpha: float, scale of the update times rank; `rank` by default.
            a_initializer: initializer of A, (*kernel.shape[:-1], rank).
            b_initializer: initializer of B, (rank, kernel.shape[-1]).

        Raises:
            ValueError: not built yet, already enabled, or the kernel is constrained.

        Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685.

        >>> layer = keras.layers.Dense(8)
        >>> layer.build((None, 16))
        >>> layer.enable_lora(rank=2)
        >>> [w.shape for w in layer.trainable_weights]
        [(8,), (16, 2), (2, 8)]
        """
        plain, name = self._mk_kernel, self._mk_kernel_name
        positive_int(rank, "rank")
        if (constraint := getattr(self, f"{name}_constraint")) is not None:
            raise ValueError(
                f"Lora is incompatible with {name.removesuffix('s')} constraints: "
                f"{self.name!r} has {name}_constraint={constraint}."
            )
        if not self.built or plain is None:
            raise ValueError(
                "Cannot enable lora on a layer that isn't yet built: call "
                f"{self.name!r} on data or `build()` it first."
            )
        if self.lora_enabled:
            raise ValueError(f"lora is already enabled in {self.name!r}.")
        self._mk_lock(False)
        shape = plain.variable.shape
        for suffix, part_shape, initializer in (
            ("a", (*shape[:-1], rank), a_initializer),
            ("b", (rank, shape[-1]), b_initializer),
        ):
            weight = self.add_weight(
                name=f"lora_{name}_{suffix}",
                shape=part_shape,
                initializer=initializer,
                dtype=settings.floatx(),  # full precision also for a half kernel
                regularizer=getattr(self, f"{name}_regularizer"),
            )
            setattr(self, f"lora_{name}_{suffix}", weight)
        self._mk_lock()
        plain.variable.trainable = False
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; those of LoRA only when it is in use."""
        config = super().get_config()
        if not self.lora_rank:
            del config["lora_rank"], config["lora_alpha"]
        return config

    def _mk_stored_variables(self):
        """The weights that a layer without LoRA has: any layer can load the file."""
        names = (f"lora_{self._mk_kernel_name}_{suffix}" for suffix in "ab")
        matrices = [getattr(self, name, None) for name in names]
        own = self._mk_own_variables()
        return [v for v in own if not any(v is x for x in matrices)]
