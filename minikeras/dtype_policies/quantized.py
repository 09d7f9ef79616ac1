"""Policies of quantized layers."""

from typing import Any

from minikeras.core.dtype_policy import DTypePolicy, register_policies

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """A policy whose matrices are stored and multiplied in few bits.

    Args:
        mode: one of `QUANTIZATION_MODES`.
        source_name: name of the policy that everything else follows, the global
            one by default.

    >>> QuantizedDTypePolicy("int8", "mixed_bfloat16").name
    'int8_from_mixed_bfloat16'
    """

    def __init__(self, mode, source_name=None):
        super().__init__(source_name)
        kind = self._parse_mode(mode)
        if kind not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. {type(self).__name__}: mode must be one "
                f"of {QUANTIZATION_MODES}, got {mode!r}."
            )
        if kind == "int8" and self._compute_dtype == "float16":
            raise ValueError(
                f"{type(self).__name__}: mode 'int8' doesn't work well with float16 "
                "computation, whose range its products leave. Use bfloat16 or float32."
            )
        self._source_name = self._name
        self._quantization_mode = kind
        self._mode_text = mode
        self._name = f"{mode}_from_{self._source_name}"

    def _parse_mode(self, mode):
        """The quantization mode that the text `mode` stands for."""
        return mode

    @property
    def quantization_mode(self):
        """One of `QUANTIZATION_MODES`."""
        return self._quantization_mode

    def get_config(self):
        """`{"mode": ..., "source_name": ...}`."""
        return {"mode": self._mode_text, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Multiplies in float8; scales follow the last greatest absolute values.

    Args:
        mode: "float8".
        source_name: as in `QuantizedDTypePolicy`.
        amax_history_length: how many steps of greatest absolute values are kept.
    """

    default_amax_history_length = 1024

    def __init__(self, mode, source_name=None, amax_history_length=1024):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                f"{type(self).__name__}: amax_history_length must be an integer. "
                f"Got {amax_history_length!r}."
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self):
        """How many steps of greatest absolute values are kept."""
        return self._amax_history_length

    def get_config(self):
        """As `QuantizedDTypePolicy`, with `amax_history_length`."""
        return {
            **super().get_config(),
            "amax_history_length": self._amax_history_length,
        }


class _NumberedPolicy(QuantizedDTypePolicy):
    """A policy whose mode carries whole numbers: "gptq/4/128".

    Subclasses name the mode and the numbers; each has the values it may take, or
    None for a size: positive, or -1 for all of an axis.
    """

    _kind = ""
    _numbers: dict[str, Any] = {}

    def _parse_mode(self, mode):
        kind, *texts = str(mode).split("/")
        form = "/".join((self._kind, *(f"<{name}>" for name in self._numbers)))
        try:
            values = list(map(int, texts))
        except ValueError:
            values = []
        if kind != self._kind or len(values) != len(self._numbers):
            raise ValueError(
                f"Invalid mode for {type(self).__name__}: expected the form {form!r} "
                f"with integers, got {mode!r}."
            )
        for (name, allowed), value in zip(self._numbers.items(), values, strict=True):
            if value not in allowed if allowed else value < 1 and value != -1:
                remedy = "expected -1 or a positive integer"
                if allowed:
                    bits = ", ".join(f"{n}-bit" for n in allowed)
                    remedy = f"{self._kind.upper()} only supports {bits} weights"
                raise ValueError(
                    f"Invalid {name} in mode {mode!r}: got {value}, {remedy}."
                )
            setattr(self, name, value)
        self.mode = kind
        return kind


class Int4DTypePolicy(_NumberedPolicy):
    """Weights of 4 bits with a scale for every `block_size` inputs: "int4/128"."""

    _kind, _numbers = "int4", {"block_size": None}
    block_size: int


class GPTQDTypePolicy(_NumberedPolicy):
    """Weights rounded by GPTQ: "gptq/<weight_bits>/<group_size>"."""

    _kind, _numbers = "gptq", {"weight_bits": (2, 3, 4, 8), "group_size": None}
    weight_bits: int
    group_size: int


class AWQDTypePolicy(_NumberedPolicy):
    """Weights rounded with activation-aware scales: "awq/4/<group_size>"."""

    _kind, _numbers = "awq", {"weight_bits": (4,), "group_size": None}
    weight_bits: int
    group_size: int


def quantized_policy(name) -> QuantizedDTypePolicy:
    """The policy called "<mode>_from_<source>", such as "int4/64_from_bfloat16"."""
    mode, separator, source = name.partition("_from_")
    if not separator:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`): "
            f"expected '<mode>_from_<source>', got {name!r}."
        )
    classes = {
        "float8": QuantizedFloat8DTypePolicy,
        "gptq": GPTQDTypePolicy,
        "awq": AWQDTypePolicy,
        "int4": Int4DTypePolicy if "/" in mode else QuantizedDTypePolicy,
    }
    return classes.get(mode.partition("/")[0], QuantizedDTypePolicy)(mode, source)


register_policies(QUANTIZATION_MODES, quantized_policy)
