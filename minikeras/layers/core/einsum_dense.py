"""EinsumDense: a dense layer over any axes, given by an einsum equation."""

import copy
import re

from minikeras import ops
from minikeras.core.checks import is_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.kernels.lora import LoRALayer
from minikeras.layers.layer import Layer

# "X,Y->Z", and then X or Z, where dots are before or after the letters.
_EQUATION_PATTERN = re.compile(r"([.a-zA-Z]+),([a-zA-Z]+)->([.a-zA-Z]+)")
_TERM_PATTERN = re.compile(r"(\.{3})?[a-zA-Z]+(\.{3})?")


def split_equation(equation):
    """Split an equation into its terms: `"ab,bc->ac"` -> `("ab", "bc", "ac")`.

    Dots before or after the letters are any axes that inputs and outputs share.

    Raises:
        ValueError: the equation has another form.

    >>> split_equation("...b,bc->...c")
    ('...b', 'bc', '...c')
    """
    terms = _EQUATION_PATTERN.fullmatch(equation) if isinstance(equation, str) else None
    outer = terms and [_TERM_PATTERN.fullmatch(terms[i]) for i in (1, 3)]
    if not outer or not all(outer) or outer[0].groups() != outer[1].groups():
        raise ValueError(
            f"EinsumDense: equation={equation!r} must have the form 'X,Y->Z', "
            "'...X,Y->...Z' or 'X...,Y->Z...', X, Y and Z being letters."
        )
    inputs, kernel, outputs = terms.groups()
    if all(outer[0].groups()):
        raise ValueError(f"EinsumDense: two ellipses in a term of {equation!r}.")
    for label in kernel + outputs.strip("."):
        if label not in inputs + (outputs if label in kernel else kernel):
            raise ValueError(
                f"EinsumDense: no size can be found for {label!r} in {equation!r}: it "
                "must also stand in another term."
            )
    if len(set(outputs.strip("."))) < len(outputs.strip(".")):
        raise ValueError(f"EinsumDense: the output of {equation!r} repeats an axis.")
    return inputs, kernel, outputs


def _axes(term, rank):
    """The axes of a term: its letters, and numbers in place of the dots."""
    start = term.find("...")
    if start < 0:
        return list(term)
    elided = range(rank - len(term) + 3)
    return [*term[:start], *elided, *term[start + 3 :]]


def einsum_shapes(equation, input_shape, output_shape):
    """Shape of the kernel, and sizes of the output as {axis: size}.

    Args:
        equation: in a form that `split_equation` accepts.
        input_shape: tuple of ints and None.
        output_shape: sizes of the output's axes except the batch and those of the dots;
            None takes the size of the same axis of the inputs.

    Raises:
        ValueError: an axis has two different sizes.

    >>> einsum_shapes("abc,cd->abd", (None, 3, 8), (None, 4))
    ((8, 4), {'a': None, 'b': None, 'd': 4})
    """
    inputs, kernel, outputs = split_equation(equation)
    rank = len(input_shape)
    if rank < len(inputs.strip(".")):
        raise ValueError(
            f"EinsumDense: inputs of shape {tuple(input_shape)} have fewer axes than "
            f"{equation!r} names."
        )
    elided = rank - len(inputs.strip("."))
    known = dict(zip(_axes(inputs, rank), input_shape, strict=False))
    new_sizes, sizes = iter(output_shape), {}
    for axis in _axes(outputs, elided + len(outputs.strip("."))):
        if isinstance(axis, int):
            sizes[axis] = known[axis]
        elif not sizes and not outputs.startswith("."):
            sizes[axis] = input_shape[0]  # the batch
        else:
            sizes[axis] = next(new_sizes)
            if sizes[axis] is not None and known.get(axis, sizes[axis]) != sizes[axis]:
                raise ValueError(
                    f"EinsumDense: axis {axis!r} of {equation!r} has size "
                    f"{known[axis]} in the inputs, {input_shape}, and {sizes[axis]} "
                    f"in output_shape={output_shape}."
                )
    return tuple((sizes | known)[axis] for axis in kernel), sizes


def bias_shape(bias_axes, sizes):
    """Shape of a bias that broadcasts to outputs with axes {axis: size}.

    >>> bias_shape("d", {"a": 2, "d": 3, "e": 4})
    (3, 1)
    """
    axes = list(sizes)
    first = min(axes.index(axis) for axis in bias_axes)
    return tuple(sizes[a] if str(a) in bias_axes else 1 for a in axes[first:])


def with_fans(initializer, equation):
    """A copy of the initializer that knows which axes of the kernel are summed over."""
    axes = ("input_axes", "output_axes")
    if any(getattr(initializer, name, "none") is not None for name in axes):
        return initializer  # it has no fans, or already knows the axes
    _, kernel, outputs = split_equation(equation)
    summed = [i for i, axis in enumerate(kernel) if axis not in outputs]
    kept = [i for i, axis in enumerate(kernel) if axis in outputs]
    # A copy: the user may have given this initializer to other layers, too.
    initializer = copy.copy(initializer)
    initializer.input_axes, initializer.output_axes = summed, kept
    return initializer


def _check_arguments(equation, output_shape, bias_axes):
    """Raise ValueError unless the output's sizes and bias fit the equation."""
    outputs = split_equation(equation)[2]
    sizes = (output_shape,) if is_int(output_shape) else tuple(output_shape)
    n_sizes = len(outputs.strip(".")) - (not outputs.startswith("."))
    if len(sizes) < n_sizes:
        raise ValueError(
            f"EinsumDense: output_shape={output_shape} must hold {n_sizes} sizes "
            f"for {equation!r}."
        )
    if bias_axes is not None and not 0 < len(bias_axes) == len(
        set(bias_axes) & set(outputs.strip("."))
    ):
        raise ValueError(
            f"EinsumDense: bias_axes={bias_axes!r} must be letters of the output "
            f"of {equation!r}, each once, or None."
        )


class EinsumDense(LoRALayer, Layer):
    """Connect inputs and outputs along any axes.

    activation(einsum(equation, x, kernel) + bias)

    Args:
        equation: str `"X,Y->Z"` with the axes of inputs, kernel and output. The first
            axis is the batch. `"..."` at the same end of X and Z are any axes.
        output_shape: int or ints, sizes of the output's axes except the batch and those
            of `"..."`; None in it takes the size of the inputs.
        activation: name or function of the output; None is the identity.
        bias_axes: str, axes of the output along which the bias varies; None for no
            bias.
        kernel_initializer: initializer of the kernel, whose axes are Y.
        bias_initializer: initializer of the bias.
        kernel_regularizer, bias_regularizer: penalties on the weights; None for none.
        kernel_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        lora_rank: int >= 1, freeze the kernel and train an update of this rank; None
            trains the kernel.
        lora_alpha: number, scales that update by lora_alpha / lora_rank; None takes
            `lora_rank`.
        quantization_config: accepted and stored, without effect.
        gptq_unpacked_column_size: accepted and stored, without effect.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: the equation has another form, or contradicts the other arguments.

    >>> layer = keras.layers.EinsumDense("...x,xyz->...yz", (4, 5), bias_axes="z")
    >>> layer(np.ones((2, 3))).shape
    (2, 4, 5)
    """

    _mk_not_in_config = ("gptq_unpacked_column_size",)
    _mk_always_in_config = ("activity_regularizer",)

    def __init__(
        self,
        equation,
        output_shape,
        activation=None,
        bias_axes=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        gptq_unpacked_column_size=None,
        quantization_config=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check_arguments(equation, output_shape, bias_axes)
        self._mk_set_arguments(locals())
        single = is_int(output_shape)
        self.output_shape = (output_shape,) if single else tuple(output_shape)
        inputs = split_equation(equation)[0]
        if "." not in inputs:
            self.input_spec = InputSpec(ndim=len(inputs))

    def build(self, input_shape):
        """Create the kernel and the bias.

        Args:
            input_shape: shape of the inputs with the axes X of the equation.
        """
        shape, sizes = einsum_shapes(self.equation, input_shape, self.output_shape)
        biased = self.bias_axes is not None
        shape_of_bias = bias_shape(self.bias_axes, sizes) if biased else ()
        if None in shape + shape_of_bias:
            raise ValueError(
                f"{self.path}: not all sizes of the weights of {self.equation!r} are "
                f"known: kernel {shape}, bias {shape_of_bias}. Give them in "
                f"output_shape={self.output_shape} or in the inputs, of shape "
                f"{tuple(input_shape)}."
            )
        fans = with_fans(self.kernel_initializer, self.equation)
        self._mk_build_kernel(shape, fans)
        self.bias = self._mk_weight("bias", shape_of_bias) if biased else None
        self.input_spec = InputSpec(ndim=len(input_shape))
        self._mk_start_lora()

    @property
    def kernel(self):
        """The kernel, of the axes Y of the equation."""
        return self._mk_kernel_value()

    def call(self, inputs, training=None):
        """Return activation(einsum(equation, inputs, kernel) + bias).

        Args:
            inputs: array with the axes X of the equation.
            training: bool, not used.
        """

        def product(x, kernel):
            return ops.einsum(self.equation, x, kernel)

        y = self._mk_bind_kernel(product)(inputs)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape):
        """Return the sizes of the axes Z; None in `output_shape` stays None.

        Args:
            input_shape: shape of the inputs with the axes X of the equation.
        """
        sizes = einsum_shapes(self.equation, input_shape, self.output_shape)[1]
        return tuple(sizes.values())
