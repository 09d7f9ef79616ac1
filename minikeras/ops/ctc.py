"""Connectionist temporal classification: label sequences without alignment.

Source: Graves et al., Connectionist Temporal Classification, 2006; the beam search
over prefixes follows Hannun et al., arXiv:1408.2873.
"""

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.ops.convert import as_array, as_float, half_to_float32
from minikeras.ops.keras_modules import nn_op

__all__ = [
    "ctc_decode", "ctc_loss",
]  # fmt: skip


def _loss_spec(trace, target, output, *lengths, **settings):
    return KerasTensor(target.shape[:1], dtypes.result_type(output.dtype, "float32"))


@nn_op(
    name="CTCLoss",
    tensors=("target", "output", "target_length", "output_length"),
    spec=_loss_spec,
)
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log p(labels), summed over all alignments of labels and frames.

    Args:
        target: (batch, labels) int labels.
        output: (batch, frames, classes) logits.
        target_length: (batch,) ints, the number of labels of each sample.
        output_length: (batch,) ints, the number of frames of each sample.
        mask_index: int, the class that means "no label" (blank).

    Returns:
        (batch,) losses, float32 at least.

    Raises:
        ValueError: other ranks, or batches of different sizes.

    Source: Graves et al., Connectionist Temporal Classification, 2006.

    >>> logits = jnp.zeros((1, 1, 3))
    >>> ctc_loss([[2]], logits, [1], [1]).tolist()
    [1.0986...]
    """
    # Imported late: `import minikeras` promises jax's import time plus 0.3 s.
    optax = late_import("optax")
    # Log-probabilities of hundreds of frames add up: half floats would lose digits.
    target, output = as_array(target), half_to_float32(as_float(output))
    if target.ndim != 2 or output.ndim != 3 or len(target) != len(output):
        raise ValueError(
            "ctc_loss: expected target of shape (batch, labels) and output of shape "
            f"(batch, frames, classes), got {target.shape} and {output.shape}."
        )

    def padding(lengths, size):
        after = jnp.arange(size) >= as_array(lengths)[..., None]
        return jnp.broadcast_to(after, (len(target), size)).astype(output.dtype)

    # optax takes 1 for padding and 0 for frames or labels that count.
    return optax.ctc_loss(
        output,
        padding(output_length, output.shape[1]),
        target.astype("int32"),
        padding(target_length, target.shape[1]),
        blank_id=mask_index,
    )


@nn_op(name="CTCDecode", tensors=("inputs", "sequence_lengths"))
def ctc_decode(
    inputs,
    sequence_lengths,
    strategy="greedy",
    beam_width=100,
    top_paths=1,
    merge_repeated=True,
    mask_index=0,
):
    """The most probable label sequences.

    Args:
        inputs: (batch, frames, classes) logits.
        sequence_lengths: (batch,) ints, the number of frames of each sample.
        strategy: "greedy" takes the best class of each frame; "beam_search" sums over
            the alignments of the `beam_width` best sequences.
        beam_width: int, number of sequences that a beam search keeps at each frame.
        top_paths: int, number of sequences that a beam search returns.
        merge_repeated: in "greedy", equal classes of consecutive frames are one label.
        mask_index: int, the class that means "no label" (blank); None for the last one.

    Returns:
        (paths, batch, frames) int32 labels, padded with -1; and (batch, paths) scores:
        log-probabilities, or the negative sum of the best logits for "greedy".

    Raises:
        ValueError: an unknown strategy, or another rank.

    Source: the beam search follows Hannun et al., arXiv:1408.2873.

    >>> logits = jax.nn.one_hot(jnp.array([[1, 1, 0, 2]]), 3)
    >>> paths, scores = ctc_decode(logits, [4])
    >>> paths.tolist(), scores.tolist()
    ([[[1, 2, -1, -1]]], [[-4.0]])
    """
    inputs, lengths = half_to_float32(as_float(inputs)), as_array(sequence_lengths)
    if inputs.ndim != 3:
        raise ValueError(
            "ctc_decode: expected inputs of shape (batch, frames, classes), got "
            f"{inputs.shape}."
        )
    blank = inputs.shape[-1] - 1 if mask_index is None else mask_index
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, blank)
    if strategy != "beam_search":
        raise ValueError(
            f"ctc_decode: Invalid strategy {strategy!r}: expected 'greedy' or "
            "'beam_search'."
        )
    search = jax.vmap(lambda x, n: _search(x, n, beam_width, top_paths, blank))
    paths, scores = search(jax.nn.log_softmax(inputs), lengths)
    return jnp.swapaxes(paths, 0, 1), scores


def _greedy(inputs, lengths, merge_repeated, blank):
    """The best class of each frame: (1, batch, frames) labels, (batch, 1) scores."""
    frames = jnp.arange(inputs.shape[1])
    labels = jnp.argmax(inputs, axis=-1).astype("int32")
    counts = frames < lengths[:, None]
    chosen = counts & (labels != blank)
    if merge_repeated:
        chosen &= jnp.diff(labels, axis=1, prepend=-1) != 0
    # A stable sort moves the chosen labels to the front and keeps their order.
    order = jnp.argsort(~chosen, axis=1)
    paths = jnp.take_along_axis(jnp.where(chosen, labels, -1), order, axis=1)
    # As in Keras the score is the negative sum of the logits, not of log-probabilities.
    scores = -jnp.sum(jnp.where(counts, jnp.max(inputs, -1), 0.0), 1, keepdims=True)
    return paths[None], scores


def _search(log_p, length, width, top_paths, blank):
    """Beam search over label prefixes: (frames, classes) -> paths, log-probabilities.

    The beam holds two log-probabilities of each prefix: that the frames so far spell it
    and end in its last label, and that they spell it and end in a blank. Only after a
    blank does the last label again make a longer prefix.
    """
    frames, classes = log_p.shape
    prefixes = jnp.full((width, frames), -1)
    empty = jnp.full(width, -jnp.inf, log_p.dtype)

    def step(beam, frame):
        t, log_p = frame
        new = _advance(beam, log_p, blank)
        # Frames after the end of a sample leave its beam as it is.
        return jax.tree.map(lambda a, b: jnp.where(t < length, a, b), new, beam), None

    # One empty prefix with probability 1; the others are impossible.
    start = (prefixes, jnp.zeros(width, int), empty, empty.at[0].set(0.0))
    beam, _ = jax.lax.scan(step, start, (jnp.arange(frames), log_p))
    prefixes, _, in_label, in_blank = beam
    # More paths than the beam has are returned as impossible ones.
    more = max(top_paths - width, 0)
    scores = jnp.pad(
        jnp.logaddexp(in_label, in_blank), (0, more), constant_values=-jnp.inf
    )
    scores, best = jax.lax.top_k(scores, top_paths)
    paths = jnp.pad(prefixes, ((0, more), (0, 0)))[best]
    return jnp.where(jnp.isneginf(scores)[:, None], -1, paths).astype("int32"), scores


def _advance(beam, log_p, blank):
    """The beam after one more frame."""
    prefixes, sizes, in_label, in_blank = beam
    (width, frames), classes = prefixes.shape, len(log_p)
    either = jnp.logaddexp(in_label, in_blank)
    last = jnp.where(
        sizes > 0, jnp.take_along_axis(prefixes, sizes[:, None] - 1, 1)[:, 0], -1
    )
    # A prefix stays the same if its last label is repeated or a blank follows.
    stay_label = in_label + jnp.where(last >= 0, log_p[last], -jnp.inf)
    stay_blank = either + log_p[blank]
    # Another label makes it longer; its own last label does so only after a blank.
    repeats = jnp.arange(classes) == last[:, None]
    grown = jnp.where(repeats, in_blank[:, None], either[:, None]) + log_p
    grown = grown.at[:, blank].set(-jnp.inf)
    # Prefix i with the last label of prefix j may equal prefix j: their probabilities
    # are added, and the longer prefix i is dropped.
    parents = jnp.where(jnp.arange(frames) == sizes[:, None] - 1, -1, prefixes)
    same = jnp.all(prefixes[:, None] == parents, axis=-1)
    same &= (last >= 0) & (either > -jnp.inf)
    joins = jnp.where(same, grown[:, last], -jnp.inf)
    stay_label = jnp.logaddexp(stay_label, jax.nn.logsumexp(joins, axis=0))
    taken = jnp.any(same[:, :, None] & (jnp.arange(classes) == last[:, None]), axis=1)
    grown = jnp.where(taken, -jnp.inf, grown)
    # Of equal scores the first wins: candidates are ordered by prefix, then by label,
    # and sorted indices keep that order in the new beam.
    stay = jnp.logaddexp(stay_label, stay_blank)
    scores = jnp.concatenate([grown, stay[:, None]], axis=1)
    best = jnp.sort(jax.lax.top_k(scores.ravel(), width)[1])
    source, label = jnp.divmod(best, classes + 1)
    stays, source_size = label == classes, sizes[source]
    added = (jnp.arange(frames) == source_size[:, None]) & ~stays[:, None]
    return (
        jnp.where(added, label[:, None], prefixes[source]),
        source_size + ~stays,
        jnp.where(stays, stay_label[source], scores.ravel()[best]),
        jnp.where(stays, stay_blank[source], -jnp.inf),
    )
