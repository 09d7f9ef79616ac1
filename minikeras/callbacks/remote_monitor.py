"""RemoteMonitor: sends the logs of each epoch to a server."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
import warnings

import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.core.late_import import late_import

_SECONDS = 30.0  # that a server may take to answer


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server, by HTTP POST.

    The number of the epoch is among them, as `epoch`. A server that cannot be reached,
    or refuses, makes a warning; training goes on. The package `requests` sends if it is
    installed, else the standard library.

    Args:
        root: address of the server.
        path: path on it, appended to `root`.
        field: name of the form's field that holds the logs as JSON; unused with
            `send_as_json`.
        headers: dict of HTTP headers to add, or None.
        send_as_json: bool, whether the body is the JSON itself, not a form.

    >>> callback = RemoteMonitor(root="http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root="http://localhost:9000",
        path="/publish/epoch/end/",
        field="data",
        headers=None,
        send_as_json=False,
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        values = {name: _plain(value) for name, value in (logs or {}).items()}
        send = {"epoch": epoch} | values
        if self.send_as_json:
            content = {"json": {k: _finite(v) for k, v in send.items()}}
        else:
            content = {"data": {self.field: json.dumps(send, default=str)}}
        try:
            status = _post(self.root + self.path, headers=self.headers, **content)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._mk_warn(
                f"Could not reach RemoteMonitor root server at {self.root}: {error}"
            )
        else:
            if isinstance(status, int) and status >= 400:
                self._mk_warn(
                    f"RemoteMonitor: {self.root} refused, with status {status}."
                )

    def _mk_warn(self, text):
        warnings.warn(text, stacklevel=3)


def _plain(value):
    """A value of logs as a number, or a list of them."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return value
    return array.item() if array.size == 1 else array.tolist()


def _finite(value):
    """None for NaN and infinite numbers, which JSON does not have."""
    if isinstance(value, list):
        return [_finite(x) for x in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _post(url, **arguments):
    """`requests.post`, or the same by the standard library; returns the status."""
    try:
        requests = late_import("requests")
    except ImportError:
        return _post_by_urllib(url, **arguments)
    return getattr(requests.post(url, **arguments), "status_code", None)


def _post_by_urllib(url, headers=None, json=None, data=None):
    """POST a JSON body, or a form; returns the status."""
    if json is not None:
        kind, body = "application/json", _as_json(json)
    else:
        kind, body = "application/x-www-form-urlencoded", urllib.parse.urlencode(data)
    headers = {"Content-Type": kind} | (headers or {})
    request = urllib.request.Request(url, body.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def _as_json(content):
    return json.dumps(content, default=str)
