"""Archives: good ones are extracted, bad ones refused before the folder changes."""

import io
import os
import tarfile
import zipfile

import pytest

import minikeras as keras
from minikeras.datasets import archives
from minikeras.datasets.archives import extract_archive

GOOD = {"in/a.txt": b"a", "in/deep/b.bin": b"b" * 5000}


def tar_info(name, kind=tarfile.REGTYPE, link="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def write_tar(path, files=GOOD, infos=(), mode="w:gz"):
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            archive.addfile(tar_info(name, size=len(data)), io.BytesIO(data))
        for info in infos:
            archive.addfile(info)


def write_zip(path, files=GOOD, infos=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for info in infos:
            archive.writestr(info, b"/etc/passwd")


def content(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_good_archives(tmp_path, kind):
    archive = tmp_path / "archive"
    write_zip(archive) if kind == "zip" else write_tar(archive, mode=kind)
    assert extract_archive(archive, tmp_path / "out")
    assert content(tmp_path / "out") == GOOD
    (tmp_path / "out" / "mine.txt").write_text("stays")
    (tmp_path / "out" / "in" / "a.txt").write_text("is replaced")
    assert extract_archive(archive, tmp_path / "out", ["zip", "tar"])
    assert content(tmp_path / "out") == {**GOOD, "mine.txt": b"stays"}
    assert sorted(os.listdir(tmp_path)) == ["archive", "out"]
    assert not extract_archive(archive, tmp_path / "no", None)
    assert not extract_archive(archive, tmp_path / "no", [])
    with pytest.raises(NotImplementedError, match="rar"):
        extract_archive(archive, tmp_path / "no", "rar")


LONG = "/".join(["d" * 200] * 25)
BAD_NAMES = ["../out.txt", "in/../../x", "/etc/x", "C:/x", "a\\..\\b", "n" * 256, LONG]
BAD_TAR = {
    **{f"name {name[:9]}": tar_info(name) for name in BAD_NAMES},
    "symbolic link": tar_info("in/link", tarfile.SYMTYPE, "a.txt"),
    "outer link": tar_info("in/link", tarfile.SYMTYPE, "../../etc"),
    "hard link": tar_info("in/link", tarfile.LNKTYPE, "in/a.txt"),
    "device": tar_info("null", tarfile.CHRTYPE),
    "pipe": tar_info("pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("name", BAD_TAR)
def test_dangerous_members_of_tar_files(tmp_path, name):
    write_tar(tmp_path / "a", infos=[BAD_TAR[name]])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with pytest.raises(ValueError, match="link|device|absolute|leaves|too long"):
        extract_archive(tmp_path / "a", tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["a", "out"]
    assert content(tmp_path / "out") == {"old": b"old"}


@pytest.mark.parametrize("name", [*BAD_NAMES, "link"])
def test_dangerous_members_of_zip_files(tmp_path, name):
    info = zipfile.ZipInfo(name.replace("\\", "/") if name == "link" else "x")
    info.filename = name
    if name == "link":
        info.external_attr = 0o120777 << 16
    write_zip(tmp_path / "a", infos=[info])
    with pytest.raises(ValueError, match="link|absolute|leaves|too long"):
        extract_archive(tmp_path / "a", tmp_path / "out")
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bombs_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "_MOST_BYTES", 10**6)
    write = write_tar if kind == "tar" else write_zip
    write(tmp_path / "a", {f"{i}": bytes(10**6) for i in range(4)})
    with pytest.raises(ValueError, match="times what it stores"):
        extract_archive(tmp_path / "a", tmp_path / "out")
    write(tmp_path / "a", {f"{i}": os.urandom(10**6) for i in range(4)})
    assert extract_archive(tmp_path / "a", tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["a", "out"]


@pytest.mark.parametrize("part", [0.3, 0.7])
@pytest.mark.parametrize("kind", ["w", "w:gz", "zip"])
def test_truncated_archives(tmp_path, kind, part):
    archive = tmp_path / "a"
    files = {"x": os.urandom(20_000), "y": os.urandom(20_000)}
    write_zip(archive, files) if kind == "zip" else write_tar(archive, files, mode=kind)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * part)])
    if kind == "zip":  # the list of members is at its end
        assert not extract_archive(archive, tmp_path / "out")
    else:
        with pytest.raises(ValueError, match=f"archive '{archive}' is not extracted"):
            extract_archive(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["a"]


def test_damaged_zip(tmp_path):
    archive = tmp_path / "a"
    write_zip(archive, {"x": os.urandom(20_000)})
    data = bytearray(archive.read_bytes())
    data[10_000] ^= 255
    archive.write_bytes(data)
    with pytest.raises(ValueError, match="not extracted"):
        extract_archive(archive, tmp_path / "out")


def test_get_file_extracts_once(tmp_path):
    write_tar(tmp_path / "set.tgz")
    options = {"cache_dir": str(tmp_path / "home"), "extract": True}
    origin = (tmp_path / "set.tgz").as_uri()
    folder = keras.utils.get_file(origin=origin, **options)
    assert folder == str(tmp_path / "home" / "datasets" / "set.tgz")
    a = tmp_path / "home" / "datasets" / "set.tgz" / "in" / "a.txt"
    before = a.stat().st_ino
    keras.utils.get_file(origin=origin, **options)
    assert a.stat().st_ino == before
    write_tar(tmp_path / "set.tgz", {"in/a.txt": b"new"})
    keras.utils.get_file(origin=origin, force_download=True, **options)
    assert a.read_bytes() == b"new"


def test_no_archive_warns(tmp_path):
    (tmp_path / "x.zip").write_text("text")
    with pytest.warns(UserWarning, match="Could not extract archive"):
        keras.utils.get_file(
            origin=(tmp_path / "x.zip").as_uri(), cache_dir=str(tmp_path), extract=True
        )
