"""Checks of files before their content is used: links, paths and declared sizes."""

import posixpath
from typing import Any

from minikeras.core.late_import import late_import

# Data that declare more than 4 GiB, and more than 100 times the bytes that are stored,
# are taken for a bomb, which would fill the memory.
_LARGE_BYTES = 4 << 30
_LARGE_RATIO = 100


def check_h5(file: Any) -> None:
    """Check that an HDF5 file refers to no other file, and declares no huge sizes.

    Raises:
        ValueError: soft or external links, external or virtual datasets, shape bombs.
    """
    h5py = late_import("h5py")

    def visit(group, path):
        """Check the links and data sets of a group and of the groups in it."""
        for key in group:
            where = f"{path}/{key}"
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(
                    f"Refused: {where} in the HDF5 file is a {type(link).__name__}, "
                    "which may point outside the file."
                )
            item = group[key]
            if isinstance(item, h5py.Group):
                visit(item, where)
            elif isinstance(item, h5py.Dataset):
                _check_dataset(item, where)

    visit(file, "")


def _check_dataset(dataset, where):
    """Raise ValueError for external and virtual datasets, and for shape bombs."""
    if dataset.external or dataset.is_virtual:
        raise ValueError(
            f"Refused: {where} in the HDF5 file takes its data from another file."
        )
    declared = dataset.size * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if declared > _LARGE_BYTES and declared > _LARGE_RATIO * max(stored, 1):
        raise ValueError(
            f"Refused: {where} in the HDF5 file declares {declared} bytes and stores "
            f"{stored}."
        )


def check_zip(archive: Any) -> None:
    """Check that the members of a `ZipFile` stay in their folder, and are no bombs.

    Raises:
        ValueError: an absolute path or one with "..", or a bomb.
    """
    for info in archive.infolist():
        name = info.filename
        clean = posixpath.normpath(name)
        if name.startswith(("/", "\\")) or clean.startswith("..") or "\\" in name:
            raise ValueError(f"Refused: the archive's member {name!r} leaves it.")
        if info.file_size > _LARGE_BYTES and info.file_size > _LARGE_RATIO * max(
            info.compress_size, 1
        ):
            raise ValueError(
                f"Refused: the archive's member {name!r} declares {info.file_size} "
                f"bytes and stores {info.compress_size}."
            )
