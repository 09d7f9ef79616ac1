"""A hostile file for each known attack, through every door: all raise, none does harm.

The cases run in a process of their own, with a limit of memory, an audit hook and a
watch over a folder that no file may reach; see `tests/saving/hostile/`.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.saving.hostile import doors, run

# What a file is allowed to be where nothing of it is used: {row: doors}.
HARMLESS = {
    # A layer that holds any object of the package, as the config of its owner says.
    "optimizer_for_a_layer": {"clone_model"},
    # The editor shows what is there, whether or not it fits a model.
    **dict.fromkeys(
        (
            *("wrong_shape", "wrong_rank", "scalar", "fixed_text", "opaque"),
            *("missing", "everything_missing", "group_for_a_dataset"),
            "dataset_for_a_group",
        ),
        {"keras_editor", "weights_editor"},
    ),
    # Stays in the archive: nothing is extracted, and no part of it is used.
    **dict.fromkeys(
        (
            *("link_member", "long_member_name", "zero_in_a_member_name"),
            *("asset_where_a_folder_is", "many_members", "deep_member_name"),
        ),
        {name for name in doors.DOORS if name.startswith("keras")},
    ),
}
# A text like others, which Keras reads, too.
HARMLESS["lone_surrogate"] = set(doors.DOORS)
HARMLESS["everything_missing"] = HARMLESS["missing"] | {"h5_weights_by_name"}
# The doors that restore no shared objects take no notice of their numbers.
HARMLESS["unhashable_shared_id"] = {name for name in doors.DOORS if "json" in name} | {
    *("deserialize_keras_object", "from_config")
}
SECONDS = 4  # of one case, on a machine that is busy with other tests
GROWTH = 300 << 20  # bytes
PARTS = {
    "configs": ["layer", "compile", "wrong", "model", "text"],
    "files": ["stored", "weights", "cut", "shards", "archive", "folder", "path"],
}


def outcomes(kinds):
    """What the process says of each case; it is started again where one ends it."""
    expected, found = run.cases(kinds), {}
    while len(found) < len(expected):
        process = subprocess.run(
            [
                *(sys.executable, "-m", "tests.saving.hostile.run"),
                *("--kinds", *kinds, "--after", str(len(found))),
            ],
            capture_output=True,
            text=True,
            # What is compiled is kept by JAX alone, in the folder of the tests.
            env={**os.environ, "JAX_PLATFORMS": "cpu", "MINIKERAS_CACHE": "0"},
        )
        lines = [json.loads(line) for line in process.stdout.splitlines()]
        found |= {(x["row"], x["door"]): x for x in lines if "begun" not in x}
        valid = [x for x in lines if x["row"] == "valid"]
        assert not valid, f"Valid files are refused: {valid}"
        if len(found) < len(expected):
            row, door = expected[len(found)]
            assert lines, process.stderr
            found[row.name, door] = {"ended": process.stderr[-400:]}
    return found


def complaint(row, door, outcome):
    """What is wrong with an outcome, or None."""
    if outcome.get("absent"):
        return None
    if "ended" in outcome:
        return f"the process ended: {outcome['ended']}"
    if outcome["events"]:
        return f"did {outcome['events']}"
    if not outcome["unchanged"] and outcome["error"]:
        return "weights changed before the error"
    if outcome["seconds"] > SECONDS or outcome["growth"] > GROWTH:
        return f"took {outcome['seconds']:.1f} s, {outcome['growth'] >> 20} MiB"
    if outcome["error"] is None:
        return None if door in HARMLESS.get(row, ()) else "was read"
    allowed = {"FileError"}
    if doors.DOORS[door].config:
        allowed |= {"ValueError", "TypeError", "NotImplementedError"}
    if not allowed & {*outcome["kinds"]}:
        return f"{outcome['error']}: {outcome['message'][:200]}"
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
@pytest.mark.parametrize("part", PARTS)
def test_hostile_files(part):
    found = outcomes(PARTS[part])
    complaints = {
        case: text
        for case, outcome in found.items()
        if case[0] != "valid" and (text := complaint(*case, outcome))
    }
    assert not complaints, "\n".join(
        f"{k[0]}, {k[1]}: {v}" for k, v in complaints.items()
    )


def test_all_kinds_are_in_a_part():
    assert sorted(sum(PARTS.values(), [])) == run.KINDS
