import http.server
import json
import sys
import threading
import types
import urllib.parse

import numpy as np
import pytest

from minikeras.callbacks import RemoteMonitor


class Server(http.server.HTTPServer):
    """Keeps what it gets: (path, headers, body)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got = []

    @property
    def root(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers, body))
        self.send_response(500 if "bad" in self.path else 200)
        self.end_headers()

    def log_message(self, *args):
        """Nothing on the terminal."""


@pytest.fixture
def server():
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def without_requests(monkeypatch):
    monkeypatch.setitem(sys.modules, "requests", None)


LOGS = {"loss": np.float32(0.5), "one": np.ones(1), "each": np.arange(2), "name": "é&"}
SENT = {"epoch": 3, "loss": 0.5, "one": 1.0, "each": [0, 1], "name": "é&"}


def test_as_a_form(server):
    monitor = RemoteMonitor(server.root, field="é d", headers={"X-Token": "t"})
    monitor.on_epoch_end(3, LOGS)
    ((path, headers, body),) = server.got
    assert path == "/publish/epoch/end/" and headers["X-Token"] == "t"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    (value,) = urllib.parse.parse_qs(body.decode())["é d"]
    assert json.loads(value) == SENT


def test_as_json(server):
    monitor = RemoteMonitor(server.root, path="/x", send_as_json=True)
    monitor.on_epoch_end(3, LOGS | {"nan": np.nan, "some": np.array([1.0, np.inf])})
    ((path, headers, body),) = server.got
    assert path == "/x" and headers["Content-Type"] == "application/json"
    assert json.loads(body) == SENT | {"nan": None, "some": [1.0, None]}


def test_without_logs(server):
    RemoteMonitor(server.root, send_as_json=True).on_epoch_end(0)
    assert json.loads(server.got[0][2]) == {"epoch": 0}


def test_a_server_that_refuses(server):
    with pytest.warns(UserWarning, match="refused, with status 500"):
        RemoteMonitor(server.root, path="/bad").on_epoch_end(0, LOGS)


@pytest.mark.parametrize("root", ["http://localhost:1", "nowhere", "http://[::1"])
def test_no_server(root):
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"):
        RemoteMonitor(root).on_epoch_end(0, LOGS)


def test_the_package_requests_sends_if_it_is_there(monkeypatch):
    calls = []
    post = lambda url, **arguments: calls.append((url, arguments))  # noqa: E731
    monkeypatch.setitem(sys.modules, "requests", types.SimpleNamespace(post=post))
    RemoteMonitor("http://a", "/b", headers={"c": "d"}).on_epoch_end(1, {"loss": 0.5})
    RemoteMonitor("http://a", "/b", send_as_json=True).on_epoch_end(1)
    data = {"data": '{"epoch": 1, "loss": 0.5}'}
    assert calls == [
        ("http://a/b", {"headers": {"c": "d"}, "data": data}),
        ("http://a/b", {"headers": None, "json": {"epoch": 1}}),
    ]
