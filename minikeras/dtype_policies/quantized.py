"""Policies of quantized layers."""

from typing import Any

from minikeras.core.dtype_policy import DTypePolicy, register_policies

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """A policy whose kernels are stored or multiplied in few bits.

    Args:
        mode: "int8", "float8", "int4", "gptq" or "awq".
        source_name: name of the policy for everything else, such as "mixed_bfloat16";
            None: the global policy.

    Raises:
        ValueError: unknown mode, or "int8" with float16 computation.

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
        """The quantization mode in the text `mode`; subclasses parse numbers too."""
        return mode

    @property
    def quantization_mode(self):
        """The mode: "int8", "float8", "int4", "gptq" or "awq"."""
        return self._quantization_mode

    def get_config(self):
        """The constructor's arguments."""
        return {"mode": self._mode_text, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """A policy whose kernels are multiplied in float8.

    The scale of an array follows from the largest of its absolute maxima (amax) in the
    last steps.

    Args:
        mode: "float8".
        source_name: name of the policy for everything else, such as "mixed_bfloat16";
            None: the global policy.
        amax_history_length: number of steps whose amax is kept.

    Raises:
        TypeError: `amax_history_length` is no int.

    >>> QuantizedFloat8DTypePolicy("float8", "mixed_bfloat16").compute_dtype
    'bfloat16'
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
        """Number of steps whose amax is kept."""
        return self._amax_history_length

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "amax_history_length": self._amax_history_length,
        }


class _NumberedPolicy(QuantizedDTypePolicy):
    """Base of policies whose mode contains integers: "gptq/4/128".

    Subclasses define the mode `_kind` and the names of the integers, with their
    allowed values; None allows a size: positive, or -1 for the whole axis.
    """

    _kind = ""
    _numbers: dict[str, Any] = {}

    def _parse_mode(self, mode):
        """Set the integers in the text as attributes, and return the mode."""
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
    """A policy whose kernels are int4, with a scale for each block of inputs.

    Args:
        mode: "int4/<block_size>"; a block size of -1 is the whole axis.
        source_name: name of the policy for everything else, such as "mixed_bfloat16";
            None: the global policy.

    Raises:
        ValueError: a mode of another form.

    >>> Int4DTypePolicy("int4/128", "float32").block_size
    128
    """

    _kind, _numbers = "int4", {"block_size": None}
    block_size: int


class GPTQDTypePolicy(_NumberedPolicy):
    """A policy whose kernels are rounded by GPTQ.

    Args:
        mode: "gptq/<weight_bits>/<group_size>", with 2, 3, 4 or 8 bits; a group size
            of -1 is the whole axis.
        source_name: name of the policy for everything else, such as "mixed_bfloat16";
            None: the global policy.

    Raises:
        ValueError: a mode of another form.

    Source: Frantar et al., GPTQ, 2022.

    >>> GPTQDTypePolicy("gptq/4/128", "float32").weight_bits
    4
    """

    _kind, _numbers = "gptq", {"weight_bits": (2, 3, 4, 8), "group_size": None}
    weight_bits: int
    group_size: int


class AWQDTypePolicy(_NumberedPolicy):
    """A policy whose kernels are rounded with activation-aware scales (AWQ).

    Args:
        mode: "awq/4/<group_size>"; a group size of -1 is the whole axis.
        source_name: name of the policy for everything else, such as "mixed_bfloat16";
            None: the global policy.

    Raises:
        ValueError: a mode of another form.

    Source: Lin et al., AWQ, 2023.

    >>> AWQDTypePolicy("awq/4/128", "float32").group_size
    128
    """

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
