"""Checksums, messages and files of TensorBoard's format."""

import io
import struct
import subprocess
import sys
import threading

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from minikeras.callbacks import event_file, summaries
from minikeras.callbacks.event_file import SUMMARY, EventFile, crc32c, message
from tests.callbacks.event_reader import fields, read, records, scalars, tensor


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        # RFC 3720, B.4.
        (bytes(32), 0x8A9136AA),
        (bytes([255] * 32), 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_checksums(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("size", [1024, 1025, 4099, 70001])
def test_checksums_in_lanes_are_those_of_a_loop(size, monkeypatch):
    data = np.random.default_rng(size).bytes(size)
    found = crc32c(data)
    monkeypatch.setattr(event_file, "_LANES_FROM", size + 1)
    assert found == crc32c(data)


def test_messages():
    data = message((1, 1.5), (2, -1), (3, "é"), (4, b""), (100, 1 << 40))
    assert fields(data) == {
        1: [struct.pack("<d", 1.5)],
        2: [2**64 - 1],
        3: ["é".encode()],
        4: [b""],
        100: [1 << 40],
    }


def test_a_file(tmp_path):
    file = EventFile(tmp_path / "a" / "run", purge_from=7)
    file.add(3, (SUMMARY, summaries.scalar("loss é", 0.1)), wall_time=12.5)
    file.close()
    version, session, again, scalar = read(tmp_path / "a" / "run")
    assert version.value == b"brain.Event:2" and version.step == 0
    assert (session.step, fields(session.value)) == (7, {1: [1]})  # START
    assert again == session
    assert (scalar.step, scalar.tag, scalar.plugin) == (3, "loss é", "scalars")
    assert scalar.value == np.float32(0.1)
    (path,) = (tmp_path / "a" / "run").iterdir()
    assert fields(records(path)[-1])[1] == [struct.pack("<d", 12.5)]


def test_files_of_one_second_have_names_of_their_own(tmp_path):
    files = [EventFile(tmp_path) for _ in range(11)]
    for number, file in enumerate(files):
        file.add(number, (SUMMARY, summaries.scalar("a", number)))
        file.close()
    steps = [e.step for e in read(tmp_path) if e.tag == "a"]
    assert steps == [*range(11)]  # in the order of the names


def test_whole_records_are_written_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(event_file, "_BUFFER_BYTES", 500)
    file = EventFile(tmp_path)
    assert read(tmp_path) == []
    for step in range(10):
        file.add(step, (SUMMARY, summaries.scalar("a", step)))
        known = scalars(tmp_path).get("a", {})
    assert 4 < len(known) < 10
    monkeypatch.setattr(event_file, "_BUFFER_SECONDS", -1.0)
    file.add(10, (SUMMARY, summaries.scalar("a", 10)))
    assert [*scalars(tmp_path)["a"]] == [*range(11)]


def test_the_end_of_a_process_writes_what_is_kept(tmp_path):
    program = (
        "from minikeras.callbacks.summary_writer import SummaryWriter\n"
        f"writer = SummaryWriter({str(tmp_path)!r})\n"
        "writer.scalar('a', 1.0, step=2)\n"
        "raise KeyboardInterrupt"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert b"KeyboardInterrupt" in run.stderr
    assert scalars(tmp_path) == {"a": {2: 1.0}}


def test_threads_share_a_file(tmp_path):
    file = EventFile(tmp_path)

    def write(first):
        for step in range(first, first + 300):
            file.add(step, (SUMMARY, summaries.scalar("a", step)))

    threads = [threading.Thread(target=write, args=(n * 300,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    assert sorted(scalars(tmp_path)["a"]) == [*range(1200)]


def value(summary):
    return tensor(fields(fields(summary)[1][0])[8][0])


@pytest.mark.parametrize("number", [-np.inf, np.nan, True, 3, jnp.bfloat16(2)])
def test_scalars(number):
    expected = np.float32(number)
    np.testing.assert_array_equal(value(summaries.scalar("a", number)), expected)


def test_a_scalar_that_float32_does_not_hold():
    assert value(summaries.scalar("a", 1e300)) == np.inf


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=1000).astype("float32"),
        np.arange(12).reshape(3, 4),
        np.array([-1.0, 1e30]),
        np.random.default_rng(1).random(3 << 19, "float32"),  # more than a block
    ],
)
def test_histograms(values):
    table = summaries.histogram_table(values)
    counts, edges = np.histogram(values.astype("float64"), 30)
    np.testing.assert_allclose(table[:, 0], edges[:-1], atol=1e-7)
    np.testing.assert_allclose(table[:, 1], edges[1:], atol=1e-7)
    assert table[:, 2].sum() == values.size
    # Values on an edge may fall on either side of it.
    np.testing.assert_allclose(table[:, 2].cumsum(), counts.cumsum(), atol=2)


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ([], [0, 0, 0]),
        ([2.0, 2.0], [2, 2, 2]),
        ([np.nan, np.inf], [0, 0, 0]),
        ([np.nan, 2.0, -np.inf], [2, 2, 1]),
        (np.full(3, 2, jnp.bfloat16), [2, 2, 3]),
        ([True, True], [1, 1, 2]),
    ],
)
def test_histograms_of_few_values(values, last):
    table = summaries.histogram_table(np.asarray(values))
    assert table.shape == (30, 3) and table[-1].tolist() == last
    assert table[:-1, 2].tolist() == [0] * 29


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 7, channels))
    width, height, *pictures = value(summaries.images("a", pixels, 2))
    assert (width, height, len(pictures)) == (b"7", b"3", 2)
    for picture, expected in zip(pictures, pixels, strict=False):
        found = np.asarray(Image.open(io.BytesIO(picture)))
        np.testing.assert_array_equal(found.reshape(3, 7, channels), expected)


def test_floats_as_pixels():
    values = np.array([-1, 0, 0.5, 0.999, 1, 3e38, np.nan], "float32")
    with np.errstate(all="raise"):
        found = summaries.as_bytes(values)
    assert found.tolist() == [0, 0, 127, 255, 255, 255, 0]
    assert summaries.as_bytes(np.array([-3, 300])).tolist() == [0, 255]


def test_texts():
    assert value(summaries.text("a", "één")).item() == "één".encode()
    found = value(summaries.text("a", [["b", 1], ["c", "d"]]))
    assert found.tolist() == [[b"b", b"1"], [b"c", b"d"]]
