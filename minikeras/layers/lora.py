"""Low-rank adaptation: fine-tune a frozen kernel through two small matrices."""

import numpy as np

from minikeras import settings


def low_rank_update(kernel, a, b, scale):
    """kernel + scale * a @ b: (..., n) + (..., rank) @ (rank, n)."""
    return kernel + scale * (a @ b)


class LoRA:
    """Mix-in of layers with one big kernel.

    `enable_lora(rank)` freezes the kernel W and makes the layer compute with
    W + (alpha / rank) A B, A and B being the only trainable parts of it.

    Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685.
    """

    lora_enabled = False
    _mk_adapted = "kernel"  # what the kernel is called

    def _mk_effective(self):
        """The kernel that `call` uses: the Variable, or the updated array."""
        name = self._mk_adapted
        kernel = vars(self).get(f"_mk_{name}")
        if kernel is None:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has no {name} yet: it is not "
                "built. Call it on data, or call `build(input_shape)`."
            )
        if not self.lora_enabled:
            return kernel
        w = kernel.value
        a, b = (getattr(self, f"lora_{name}_{x}").value.astype(w.dtype) for x in "ab")
        return low_rank_update(w, a, b, self.lora_alpha / self.lora_rank)

    def enable_lora(
        self,
        rank,
        lora_alpha=None,
        a_initializer="he_uniform",
        b_initializer="zeros",
    ):
        """Freeze the kernel and train a low-rank update of it instead.

        Args:
            rank: int >= 1, columns of A and rows of B.
            lora_alpha: the update is scaled by lora_alpha / rank; rank by default.
            a_initializer, b_initializer: of the two matrices.

        Raises:
            ValueError: not built yet, already enabled, or the kernel is constrained.
        """
        name = self._mk_adapted
        variable = vars(self).get(f"_mk_{name}")
        if (constraint := getattr(self, f"{name}_constraint")) is not None:
            raise ValueError(
                f"Lora is incompatible with {name.removesuffix('s')} constraints: "
                f"{self.name!r} has {name}_constraint={constraint}."
            )
        if not self.built or variable is None:
            raise ValueError(
                "Cannot enable lora on a layer that isn't yet built: call "
                f"{self.name!r} on data or `build()` it first."
            )
        if self.lora_enabled:
            raise ValueError(f"lora is already enabled in {self.name!r}.")
        self._mk_lock(False)
        for suffix, shape, initializer in (
            ("a", (*variable.shape[:-1], rank), a_initializer),
            ("b", (rank, variable.shape[-1]), b_initializer),
        ):
            part = f"lora_{name}_{suffix}"
            weight = self.add_weight(
                name=part,
                shape=shape,
                initializer=initializer,
                dtype=settings.floatx(),  # full precision also for a half kernel
                regularizer=getattr(self, f"{name}_regularizer"),
            )
            setattr(self, part, weight)
        self._mk_lock()
        variable.trainable = False
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha

    def _mk_start_lora(self):
        """Last line of `build`: the constructor's `lora_rank`."""
        if self.lora_rank is not None:
            # Variables of a rebuilt layer get their adaptation too.
            self.lora_enabled, self.built = False, True
            self.enable_lora(self.lora_rank, lora_alpha=self.lora_alpha)

    def get_config(self):
        """The constructor's arguments; those of LoRA only when it is in use."""
        config = super().get_config()
        if self.lora_rank is None:
            del config["lora_rank"], config["lora_alpha"]
        return config

    def save_own_variables(self, store):
        """Store the kernel with its update, so that any layer can load it."""
        if not self.lora_enabled:
            return super().save_own_variables(store)
        kernel = vars(self)[f"_mk_{self._mk_adapted}"]
        for i, v in enumerate(self._mk_base_variables()):
            store[str(i)] = np.asarray(self._mk_effective() if v is kernel else v.value)

    def load_own_variables(self, store):
        """Load a kernel; the update starts again from nothing."""
        if not self.lora_enabled:
            return super().load_own_variables(store)
        for i, v in enumerate(self._mk_base_variables()):
            v.assign(store[str(i)])
        for suffix in "ab":
            part = getattr(self, f"lora_{self._mk_adapted}_{suffix}")
            part.assign(part.value * 0)

    def _mk_base_variables(self):
        return [v for v in self._mk_own_variables() if not v.name.startswith("lora_")]
