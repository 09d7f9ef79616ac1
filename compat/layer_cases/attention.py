"""Draws of the attention layers."""

from compat.layer_cases.drawing import Case, draws, step_mask, weights

_SCORES = {"return_attention_scores": True}


def lengths(d):
    """(batch, targets, sources)"""
    return d.choice(1, 2, 3), d.choice(1, 3, 4), d.choice(2, 5)


@draws("Attention AdditiveAttention")
def attention(d, name):
    batch, targets, sources = lengths(d)
    more = d.choice((), (), (2,))
    size = d.choice(1, 3, 4)
    query = d.normal((batch, *more, targets, size), scale=1.0)
    inputs = [query, d.normal((batch, *more, sources, size), scale=1.0)]
    if d.chance():
        inputs[1:] = [d.normal((batch, *more, sources, 2)), inputs[1]]
    modes = {"score_mode": ("dot", "concat")} if name == "Attention" else {}
    kwargs = d.options(
        {
            **{"use_scale": (True, False), "dropout": (0.3, 0.6), "seed": (3,)},
            **modes,
        }
    )
    call = d.options({"use_causal_mask": (True,), "return_attention_scores": (True,)})
    if not more and d.chance():
        masks = [step_mask(d, batch, targets), step_mask(d, batch, sources)]
        call["mask"] = [mask if d.chance(0.7) else None for mask in masks]
    return Case(kwargs, inputs, call, terms=8)


def projections(d):
    """Arguments that both layers with projections have."""
    options = {
        **{"use_bias": (True, False), "use_gate": (True, False)},
        **{"dropout": (0.2, 0.5), "seed": (7, 11), "sliding_window": (1, 2, 3)},
        "activity_regularizer": ("l2", None),
    }
    return {**d.options(options), **weights(d, "kernel", "bias")}


def masks(d, batch, heads, targets, sources):
    """Arguments of a call that hide sources."""
    whole = (batch, targets, sources)
    shapes = (whole, whole[1:], (batch, heads, targets, sources), (batch, 1, sources))
    call = d.options(
        {
            "use_causal_mask": (True,),
            "value_mask": (step_mask(d, batch, sources),),
            "key_mask": (step_mask(d, batch, sources),),
            "query_mask": (step_mask(d, batch, targets),),
        }
    )
    own = {"value_mask", "key_mask", "query_mask"} & set(call)
    if d.chance():
        # Masks of heads and of steps together: Keras takes heads for the batch.
        mask = d.bools(d.choice(*shapes[: 2 if own else 4]), 0.7)
        call["attention_mask"] = mask.astype(d.choice(bool, "float32", "int32"))
    return call


@draws("MultiHeadAttention")
def multi_head_attention(d, name):
    batch, targets, sources = lengths(d)
    heads, size = d.choice(1, 2, 3), d.choice(1, 4)
    kwargs = {"num_heads": heads, "key_dim": d.choice(1, 2, 5), **projections(d)}
    kwargs |= d.options({"output_shape": (3, (2, 3), [4])})
    call = masks(d, batch, heads, targets, sources)
    if d.chance(0.3):  # Keras gets the shape of the scores wrong otherwise
        call |= _SCORES
        sources = targets
        for key in ("value_mask", "key_mask", "attention_mask"):
            call.pop(key, None)
    if "dropout" in kwargs or "return_attention_scores" in call:
        kwargs |= d.options({"value_dim": (1, 3)})  # Keras fails without
    query = d.normal((batch, targets, size), scale=1.0)
    call["value"] = d.normal((batch, sources, d.choice(2, 3)), scale=1.0)
    if d.chance():
        call["key"] = d.normal((batch, sources, d.choice(2, 3)), scale=1.0)
    mask = step_mask(d, batch, targets) if d.chance() else None
    if "attention_mask" in call and call["attention_mask"].ndim == 4:
        mask = None
    return Case(kwargs, query, call, mask=mask, terms=30)


@draws("GroupQueryAttention")
def group_query_attention(d, name):
    batch, targets, sources = lengths(d)
    groups, size = d.choice(1, 2, 3), d.choice(1, 4)
    heads = groups * d.choice(1, 2, 3)
    kwargs = {"head_dim": d.choice(1, 2, 5), "num_query_heads": heads}
    kwargs |= {"num_key_value_heads": groups, **projections(d)}
    call = masks(d, batch, heads, targets, sources)
    call |= d.options({"return_attention_scores": (True,)})
    query = d.normal((batch, targets, size), scale=1.0)
    call["value"] = d.normal((batch, sources, size), scale=1.0)
    if d.chance():
        call["key"] = d.normal((batch, sources, d.choice(2, 3)), scale=1.0)
    mask = step_mask(d, batch, targets) if d.chance() else None
    if "attention_mask" in call and call["attention_mask"].ndim == 4:
        mask = None
    return Case(kwargs, query, call, mask=mask, terms=30)
