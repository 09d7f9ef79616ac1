"""What is refused in a file before anything of it is used."""

import posixpath

from minikeras.core.late_import import late_import

# A file may declare this much, or this many times what it stores, before it is taken
# for a bomb.
_LARGE = 4 << 30
_RATIO = 100


def check_h5(file) -> None:
    """Refuse an HDF5 file that reaches outside itself or declares absurd sizes.

    Raises:
        ValueError: external, soft or virtual data, or a shape bomb.
    """
    h5py = late_import("h5py")

    def visit(group, path):
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
    if dataset.external or dataset.is_virtual:
        raise ValueError(
            f"Refused: {where} in the HDF5 file takes its data from another file."
        )
    declared = dataset.size * dataset.dtype.itemsize
    stored = dataset.id.get_storage_size()
    if declared > _LARGE and declared > _RATIO * max(stored, 1):
        raise ValueError(
            f"Refused: {where} in the HDF5 file declares {declared} bytes and stores "
            f"{stored}."
        )


def check_zip(archive) -> None:
    """Refuse a zip whose members leave their folder or are bombs."""
    for info in archive.infolist():
        name = info.filename
        clean = posixpath.normpath(name)
        if name.startswith(("/", "\\")) or clean.startswith("..") or "\\" in name:
            raise ValueError(f"Refused: the archive's member {name!r} leaves it.")
        if info.file_size > _LARGE and info.file_size > _RATIO * max(
            info.compress_size, 1
        ):
            raise ValueError(
                f"Refused: the archive's member {name!r} declares {info.file_size} "
                f"bytes and stores {info.compress_size}."
            )
