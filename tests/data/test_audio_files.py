"""wav files of all encodings, written by hand; resampling; damaged files."""

import struct
import wave

import numpy as np
import pytest

from minikeras.data.audio_files import decode_audio, read_audio, read_wav

TIME = np.arange(800) / 8000
SINE = np.stack([np.sin(2 * np.pi * 440 * TIME), 0.3 * np.cos(880 * TIME)], 1) * 0.9


def write(path, kind, bits, data, channels=2, extra=b"", size=None, before=b""):
    frame = channels * bits // 8
    header = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * frame, frame, bits)
    header += extra
    chunks = before + b"fmt " + struct.pack("<I", len(header)) + header
    size = len(data) if size is None else size
    chunks += b"data" + struct.pack("<I", size) + data
    riff = b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks
    path.write_bytes(riff)


def encoded(kind, bits):
    if kind == 3:
        return SINE.astype(f"<f{bits // 8}").tobytes()
    whole = np.round(SINE * 2 ** (bits - 1))
    if bits == 8:
        return (whole + 128).astype("u1").tobytes()
    if bits == 24:
        wide = whole.astype("<i4").reshape(-1, 1).view("u1").reshape(-1, 4)
        return wide[:, :3].tobytes()
    return whole.astype(f"<i{bits // 8}").tobytes()


@pytest.mark.parametrize(
    "kind, bits", [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)]
)
@pytest.mark.parametrize("extensible", [False, True])
def test_encodings(tmp_path, kind, bits, extensible):
    path = tmp_path / "a.wav"
    extra = struct.pack("<HHIH14s", 22, bits, 3, kind, bytes(14)) if extensible else b""
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # chunks fill up to even sizes
    number = 0xFFFE if extensible else kind
    write(path, number, bits, encoded(kind, bits), extra=extra, before=odd)
    audio, rate = read_wav(path)
    assert audio.dtype == "float32" and audio.shape == SINE.shape and rate == 8000
    assert abs(audio - SINE).max() <= 2.0 ** -min(bits, 23)


def test_python_reads_the_same(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(struct.pack("<4h", 0, 1, -32768, 32767))
    audio, rate = read_wav(tmp_path / "a.wav")
    assert rate == 16000
    assert (audio[:, 0] * 32768).tolist() == [0, 1, -32768, 32767]


def test_length_and_rate(tmp_path):
    path = tmp_path / "a.wav"
    write(path, 1, 16, encoded(1, 16))
    assert decode_audio(path, None, 100).shape == (100, 2)
    longer = decode_audio(path, 8000, 900)
    assert longer.shape == (900, 2) and not longer[800:].any()
    half = decode_audio(path, 4000, None)
    expected = decode_audio(path, None, None)[::2]
    assert half.shape == (400, 2) and half.dtype == "float32"
    assert abs(half - expected)[20:-20].max() < 0.01
    assert decode_audio(path, 16000, 1000).shape == (1000, 2)


def test_a_stream_of_unknown_length(tmp_path):
    write(tmp_path / "a.wav", 1, 16, encoded(1, 16), size=2**32 - 1)
    assert read_wav(tmp_path / "a.wav")[0].shape == SINE.shape


@pytest.mark.parametrize("cut", [0, 10, 30, 50, 1001])
def test_damaged_files_are_named(tmp_path, cut):
    path = tmp_path / "bad.wav"
    write(path, 1, 16, encoded(1, 16))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"bad\.wav' is not a wav file, or damaged"):
        read_wav(path)
    write(path, 1, 16, encoded(1, 16)[:-1])
    with pytest.raises(ValueError, match=r"bad\.wav' is cut off"):
        read_wav(path)
    write(path, 0x55, 16, encoded(1, 16))
    with pytest.raises(ValueError, match="encoding 85"):
        read_wav(path)


def test_flac_needs_soundfile(tmp_path):
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC")
    try:
        import soundfile
    except ImportError:
        with pytest.raises(ImportError, match="pip install soundfile"):
            read_audio(path)
    else:
        with pytest.raises(ValueError, match=r"a\.flac' cannot be read"):
            read_audio(path)
        soundfile.write(path, SINE, 8000)
        audio, rate = read_audio(path)
        assert rate == 8000 and abs(audio - SINE).max() < 2**-15
