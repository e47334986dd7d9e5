"""Reads arrays of .npz files without loading those that were stored uncompressed."""

import math
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import numpy as np

from sme_hw.errors import InputError

from ..packages import one_line

__all__ = ["MAX_BYTES", "array_names", "read_npz"]

MAX_BYTES = 1 << 31
"""Size of the largest compressed array, which has to be loaded as a whole."""

_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# What zipfile, zlib and numpy raise on files that are damaged or were made up.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


def _data_start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Return where a member's bytes start in a ZIP file: behind its local header."""
    file.seek(info.header_offset)
    header = file.read(30)
    return info.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))


def _read(path: Path, file: IO[bytes], archive: zipfile.ZipFile, name: str) -> np.ndarray:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version not in _READ_HEADER:
            raise ValueError(f"{name} has the unknown format {version}")
        shape, fortran, dtype = _READ_HEADER[version](member)
        header = member.tell()
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects")
        if header + math.prod(shape) * dtype.itemsize != info.file_size:
            raise ValueError(f"{name} is cut short")
        order: Literal["C", "F"] = "F" if fortran else "C"
        if info.compress_type != zipfile.ZIP_STORED or not math.prod(shape):
            if info.file_size > MAX_BYTES:
                raise ValueError(
                    f"{name} has {info.file_size} bytes, {MAX_BYTES} are possible if compressed: "
                    "save it with numpy.savez"
                )
            return np.frombuffer(member.read(), dtype).reshape(shape, order=order)
    start = _data_start(file, info)
    if start + info.file_size > path.stat().st_size:
        raise ValueError(f"{name} is cut short")
    return np.memmap(path, dtype, mode="r", offset=start + header, shape=shape, order=order)


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in an .npz file.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
    except _DAMAGED as error:
        raise InputError(f"{path} cannot be read: {one_line(error)}") from None


def read_npz(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Return some arrays of an .npz file, read-only.

    Arrays that were stored uncompressed (``numpy.savez``) stay in the file until they are used.

    Raises
    ------
    InputError
        The file cannot be read, is cut short, lacks one of the arrays, or one of them holds Python
        objects or is compressed and larger than :data:`MAX_BYTES`.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return [_read(path, file, archive, name) for name in names]
    except _DAMAGED as error:
        raise InputError(f"{path} cannot be read: {one_line(error)}") from None
