import pytest

import minikeras as keras
from minikeras import dtype_policies as policies


@pytest.mark.parametrize(
    ("name", "cls", "mode"),
    [
        ("int8_from_mixed_bfloat16", policies.QuantizedDTypePolicy, "int8"),
        ("float8_from_float32", policies.QuantizedFloat8DTypePolicy, "float8"),
        ("int4_from_float32", policies.QuantizedDTypePolicy, "int4"),
        ("int4/64_from_bfloat16", policies.Int4DTypePolicy, "int4"),
        ("gptq/3/-1_from_float32", policies.GPTQDTypePolicy, "gptq"),
        ("awq/4/128_from_mixed_float16", policies.AWQDTypePolicy, "awq"),
    ],
)
def test_quantized_policies_by_name(name, cls, mode):
    policy = policies.get(name)
    assert type(policy) is cls
    assert (policy.name, policy.quantization_mode) == (name, mode)
    source = policies.get(name.partition("_from_")[2])
    assert policy.compute_dtype == source.compute_dtype
    assert policies.deserialize(policies.serialize(policy)) == policy
    assert policy != source


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("int8", "valid pair"),
        ("int8_from_float16", "float16"),
        ("int8_from_nothing", "nothing"),
        ("int4/0_from_float32", "block_size"),
        ("gptq_from_float32", "weight_bits"),
        ("gptq/5/128_from_float32", "2-bit, 3-bit, 4-bit, 8-bit"),
        ("awq/4/-2_from_float32", "group_size"),
        ("int7_from_float32", "int7"),
    ],
)
def test_bad_names(name, message):
    with pytest.raises(ValueError, match=message):
        policies.get(name)


def test_map_by_path():
    table = policies.DTypePolicyMap("float32", {"net/decoder/.*": "bfloat16"})
    assert table["net/decoder/dense"].name == "bfloat16"
    assert table["net/decoder"].name == table["else"].name == "float32"
    table["net/decoder/d.*"] = "float16"
    with pytest.raises(ValueError, match="multiple"):
        table["net/decoder/dense"]
    with pytest.raises(ValueError, match="already"):
        table["net/decoder/.*"] = "float16"
    with pytest.raises(TypeError, match="policy_map"):
        policies.DTypePolicyMap(policy_map=3)
    again = policies.deserialize(policies.serialize(table))
    assert dict(again.items()) == dict(table.items())
    assert len(table) == 2 and table.pop("net/decoder/d.*").name == "float16"


def test_map_without_default_follows_the_loader():
    config = policies.DTypePolicyMap(None, {"a": "float16"}).get_config()
    keras.config.set_dtype_policy("bfloat16")
    try:
        assert policies.DTypePolicyMap.from_config(config)["a"].name == "bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_layers_follow_the_entry_of_their_path():
    table = policies.DTypePolicyMap("float32", {"half": "bfloat16"})
    half = keras.layers.Dense(2, dtype=table, name="half")
    full = keras.layers.Dense(2, dtype=table, name="full")
    x = keras.ops.ones((1, 3))
    assert half(x).dtype == half.kernel.dtype == "bfloat16"
    assert full(x).dtype == full.kernel.dtype == "float32"
    again = keras.layers.Dense.from_config(half.get_config())
    assert again.compute_dtype == "bfloat16"


def test_set_dtype_policy_refuses_other_things():
    with pytest.raises(ValueError, match="policy"):
        keras.config.set_dtype_policy(None)
    with pytest.raises(ValueError, match="dtype"):
        policies.get(3)
