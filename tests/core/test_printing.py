import io
import os
import sys

import pytest

from minikeras.core import printing as terminal


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("\x1b[1mabc\x1b[0m", 3), ("上位", 4), ("e\u0301", 1), ("━─", 2)],
)
def test_width(text, columns):
    assert terminal.width(text) == columns


@pytest.mark.parametrize(
    ("text", "size", "rest"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("a上b", 2, "a"),
        ("\x1b[1mabc\x1b[0mdef", 2, "\x1b[1mab\x1b[0m"),
        ("\x1b[1mabc\x1b[0mdef", 4, "\x1b[1mabc\x1b[0md"),
    ],
)
def test_cut(text, size, rest):
    assert terminal.cut(text, size) == rest


def test_no_terminal():
    closed = io.StringIO()
    closed.close()
    for stream in (io.StringIO(), closed, object()):
        assert not terminal.is_terminal(stream)
        assert terminal.columns(stream) is None
        assert not terminal.shows_colours(stream)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_streams_own_terminal(monkeypatch):
    import fcntl
    import struct
    import termios

    ends = os.openpty()
    with os.fdopen(ends[1], "w") as stream:
        size = struct.pack("HHHH", 40, 63, 0, 0)
        fcntl.ioctl(stream, termios.TIOCSWINSZ, size)
        monkeypatch.delenv("COLUMNS", raising=False)
        assert terminal.is_terminal(stream) and terminal.columns(stream) == 63
        monkeypatch.setenv("COLUMNS", "40")
        assert terminal.columns(stream) == 40
        monkeypatch.setenv("COLUMNS", "400")
        assert terminal.columns(stream) == 63
    os.close(ends[0])
