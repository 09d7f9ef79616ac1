"""`get_file` against a small server that can cut off, and against bad luck."""

import contextlib
import hashlib
import http.server
import threading

import pytest

import minikeras as keras
from minikeras.datasets import download, fetching

CONTENT = bytes(range(256)) * 4000  # 1 MB: several chunks
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        if self.path != "/data.bin":
            return self.send_error(404)
        start, whole = 0, server.content
        wanted = self.headers.get("Range")
        same = self.headers.get("If-Range", server.tag) == server.tag
        if wanted and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(whole):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            end = f"{len(whole) - 1}/{len(whole)}"
            self.send_header("Content-Range", f"bytes {start}-{end}")
        if server.tag:
            self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(whole) - start))
        self.end_headers()
        stop = server.cuts.pop(0) if server.cuts else len(whole)
        if server.gate is not None:
            server.gate.wait(10)
        with contextlib.suppress(OSError):  # the client has gone
            self.wfile.write(whole[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.content, made.tag, made.cuts, made.ranges = CONTENT, '"v1"', [], []
    made.gate = None
    made.url = f"http://127.0.0.1:{made.server_port}/data.bin"
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fetch(server, **options):
    return keras.utils.get_file(origin=server.url, **options)


def test_a_file_is_downloaded_once(server, home, capsys):
    path = fetch(server, file_hash=SHA)
    assert path == str(home / "data.bin") and names(home) == ["data.bin"]
    assert (home / "data.bin").read_bytes() == CONTENT
    printed = capsys.readouterr().out
    assert f"Downloading data from {server.url}" in printed
    assert f"{len(CONTENT)}/{len(CONTENT)}" in printed
    assert fetch(server, file_hash=SHA) == path and len(server.ranges) == 1
    (home / "data.bin").write_text("damaged")
    assert fetch(server, file_hash=SHA) == path and len(server.ranges) == 2
    assert fetch(server, file_hash=SHA, force_download=True) == path
    assert len(server.ranges) == 3
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert fetch(server, md5_hash=md5) == path and len(server.ranges) == 3


def test_it_is_silent_without_interactive_logging(server, home, capsys):
    keras.config.disable_interactive_logging()
    try:
        fetch(server)
    finally:
        keras.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""


def test_a_cut_off_download_goes_on(server, home):
    server.cuts = [300_000, 700_000]
    fetch(server)
    assert (home / "data.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=700000-"]


def test_the_next_call_goes_on_too(server, home):
    server.cuts = [100_000, 100_001, 100_002]
    with pytest.raises(ConnectionError, match="ended after 100002 of 1024000 bytes"):
        fetch(server)
    assert not (home / "data.bin").exists()
    fetch(server)
    assert (home / "data.bin").read_bytes() == CONTENT
    assert server.ranges[3] == "bytes=100002-" and names(home) == ["data.bin"]


@pytest.mark.parametrize("has_hash", [False, True])
def test_another_version_starts_anew(server, home, has_hash):
    server.cuts = [5000] * 3
    with pytest.raises(ConnectionError):
        fetch(server)
    server.content, server.tag = b"new" * 90_000, '"v2"'
    digest = hashlib.sha256(server.content).hexdigest() if has_hash else None
    fetch(server, file_hash=digest)
    assert (home / "data.bin").read_bytes() == server.content


def test_without_a_tag_only_a_hash_lets_it_go_on(server, home):
    server.tag, server.cuts = "", [4000] * 3
    with pytest.raises(ConnectionError):
        fetch(server)
    fetch(server, file_hash=SHA)
    assert (home / "data.bin").read_bytes() == CONTENT
    assert server.ranges[:3] == [None] * 3 and server.ranges[3] == "bytes=4000-"


def test_a_longer_part_starts_anew(server, home):
    server.cuts = [len(CONTENT) - 1] * 3
    with pytest.raises(ConnectionError):
        fetch(server)
    server.content = b"short"
    digest = hashlib.sha256(b"short").hexdigest()
    fetch(server, file_hash=digest)
    assert (home / "data.bin").read_bytes() == b"short"


def test_a_wrong_hash_leaves_the_old_file(server, home):
    home.mkdir(parents=True)
    (home / "data.bin").write_text("old")
    with pytest.raises(ValueError, match="Incomplete or corrupted file"):
        fetch(server, file_hash="0" * 64)
    assert names(home) == ["data.bin"]
    assert (home / "data.bin").read_text() == "old"


def test_errors_say_what_to_do(server, home):
    with pytest.raises(ConnectionError, match=r"404.*put the file at .*gone\.bin"):
        keras.utils.get_file(origin=server.url.replace("data", "gone"))
    assert names(home) == []
    with pytest.raises(ValueError, match='specify the "origin"'):
        keras.utils.get_file("x")
    with pytest.raises(ValueError, match="Can't parse the file name"):
        keras.utils.get_file(origin="http://localhost/")
    with pytest.raises(ValueError, match="Paths are no longer accepted"):
        keras.utils.get_file("a/b", origin=server.url)


def test_offline_data_sets_name_the_bundled_one(home, monkeypatch):
    def refuse(*args, **kwargs):
        raise download.urllib.error.URLError("no network")

    monkeypatch.setattr(fetching.urllib.request, "urlopen", refuse)
    with pytest.raises(ConnectionError) as caught:
        keras.datasets.mnist.load_data()
    for part in ("mnist.npz", str(home), "731c5ac6", "datasets.digits", "no network"):
        assert part in str(caught.value)
    with pytest.raises(ConnectionError, match="cifar-10-batches-py-target_archive"):
        keras.datasets.cifar10.load_data()


def test_no_space_is_said_before_the_download(server, home, monkeypatch):
    usage = fetching.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="No space for 1,024,000 bytes"):
        fetch(server)
    assert names(home) == []


def test_an_interrupt_leaves_nothing_but_the_part(server, home, monkeypatch):
    def interrupt(self, *args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetching.Progbar, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(server)
    assert all(name.startswith(".") for name in names(home))
    fetch(server)
    assert names(home) == ["data.bin"] and server.ranges[1] is not None


def test_two_at_once_download_once(server, home):
    server.gate = threading.Event()
    threads = [threading.Thread(target=fetch, args=(server,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.gate.set()
    for thread in threads:
        thread.join()
    assert (home / "data.bin").read_bytes() == CONTENT
    assert len(server.ranges) == 1 and names(home) == ["data.bin"]
