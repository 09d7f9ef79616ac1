"""The download itself, imported when something is downloaded: HTTP takes 10 ms."""

import errno
import http.client
import os
import shutil
import urllib.error
import urllib.request

from minikeras.callbacks.progbar import Progbar
from minikeras.version import __version__

_CHUNK = 2**18
_TRIES = 3  # of a download that the other side cuts off
_SECONDS = 60  # without a byte, until the connection counts as lost


def tag_file(part):
    """The file that says which version of the server's file the part is of."""
    return part.with_suffix(".tag")


def download(file, part, target, origin, file_hash):
    """Fetch the rest of the file, and again while the connection is cut."""
    for left in reversed(range(_TRIES)):
        try:
            return _fetch_rest(file, part, target, origin, bool(file_hash))
        except urllib.error.HTTPError as error:
            reason = f"{error.code} -- {error.reason}"
            lost = False
        except urllib.error.URLError as error:
            reason, lost = f"{error.errno} -- {error.reason}", False
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            reason, lost = f"None -- {error}", True
        if not (lost and left):
            digits = file_hash and f" It has the hash {file_hash}."
            if not file.tell():
                part.unlink(missing_ok=True)
                tag_file(part).unlink(missing_ok=True)
            raise ConnectionError(
                f"URL fetch failure on {origin}: {reason}. Without a network, put the "
                f"file at {str(target)!r}.{digits or ''}"
            )


def _fetch_rest(file, part, target, origin, has_hash):
    """Append what is missing to the part file."""
    file.seek(0, os.SEEK_END)
    have, tags = file.tell(), tag_file(part)
    tag = tags.read_text() if tags.exists() else ""
    headers = {"User-Agent": f"minikeras/{__version__}", "Accept-Encoding": "identity"}
    # Without a tag only the hash can tell whether both parts are of one file.
    if have and (tag or has_hash):
        headers["Range"] = f"bytes={have}-"
        if tag:
            headers["If-Range"] = tag
    request = urllib.request.Request(origin, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        # 416: the part is as long as the file, or longer.
        if error.code != 416 or not have:
            raise
        file.truncate(0)
        return _fetch_rest(file, part, target, origin, has_hash)
    with answer:
        start = f"bytes {have}-"
        goes_on = answer.headers.get("Content-Range", "").startswith(start)
        if not goes_on:
            have = 0
            file.truncate(0)
        tag = answer.headers.get("ETag", "")
        if not tag or tag.startswith("W/"):  # weak: other bytes may have the same tag
            tag = answer.headers.get("Last-Modified", "")
        tags.write_text(tag if answer.url.startswith("http") else "")
        _copy(answer, file, have, target)


def _copy(answer, file, have, target):
    """Copy an answer to the file, with a bar; ConnectionError if it is cut off."""
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    free = shutil.disk_usage(target.parent).free
    if total and total - have > free:
        raise OSError(
            errno.ENOSPC,
            f"No space for {total:,} bytes from {answer.url}: {free:,} are free in",
            str(target.parent),
        )
    bar = Progbar(total, unit_name="byte")
    while chunk := answer.read(_CHUNK):
        file.write(chunk)
        have += len(chunk)
        bar.update(have, finalize=have == total)
    file.flush()
    if total is None:
        bar.update(have, finalize=True)
    elif have < total:
        raise ConnectionError(f"the connection ended after {have} of {total} bytes")
