"""Folders of images with a table of labels."""

import csv
from pathlib import Path

import numpy as np

from sme_hw.errors import InputError

from ..packages import one_line
from .image_files import Load, Source, encoded_images
from .input_form import InputForm

__all__ = ["read_folder_images"]


def _table_in(path: Path) -> Path:
    """Return the table in a folder, or the table that was given itself."""
    if not path.is_dir():
        return path
    tables = sorted(path.glob("*.csv"))
    if len(tables) != 1:
        raise InputError(
            f"{path} must hold one .csv file that names images and labels, it holds {len(tables)}"
        )
    return tables[0]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return line numbers and columns of a table, without its header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [text.strip() for text in row]) for row in reader if row]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {one_line(error)}") from None
    header = rows and rows[0][1][0].lower() == "file"
    rows = rows[1:] if header else rows
    if not rows:
        raise InputError(f"{path} names no images")
    return rows


def _image_path(place: str, folder: Path, text: str) -> Path:
    try:
        path = (folder / text).resolve()
        exists = path.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"{place}: {text!r} is no file: {one_line(error)}") from None
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{place}: {text!r} lies outside the folder {folder}")
    if not exists:
        raise InputError(f"{place}: there is no file {text!r} in {folder}")
    return path


def _label(place: str, text: str) -> int:
    # Not int(): it takes underscores, and digits without end.
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(
            f"{place}: label {text!r} is no class number (0, 1, ...); names of classes are not "
            "known, and a header must be file,label"
        )
    return int(text)


def read_folder_images(path: Path, form: InputForm) -> tuple[int, np.ndarray | None, Load]:
    """Open images that a table names.

    Parameters
    ----------
    path : path
        A .csv file with columns ``file,label``, or ``file`` alone, and this header or none; files
        are relative to its folder. Or a folder with one .csv file.
    form : InputForm

    Returns
    -------
    count : int
    labels : numpy.ndarray or None
        int64, as the table gives them.
    load : callable

    Raises
    ------
    InputError
        The table cannot be read, has no rows or other columns; a file is missing, lies outside
        the folder, or is no image of the network's size; a label is no number. Line and value are
        named.
    """
    path = _table_in(path)
    rows = _rows(path)
    columns = len(rows[0][1])
    files, labels, names = [], [], []
    for line, row in rows:
        place = f"{path}, line {line}"
        if len(row) != columns or columns > 2:
            raise InputError(f"{place} has {len(row)} columns; file,label are needed in every line")
        files.append(_image_path(place, path.parent, row[0]))
        labels += [_label(place, text) for text in row[1:]]
        names.append(f"{place}: {row[0]}")

    def source(index: int) -> Source:
        return lambda: files[index].open("rb")

    shape, convert = form.image_shape(str(path)), form.converter(str(path))
    load = encoded_images(names.__getitem__, source, len(files), shape, convert)
    return len(files), np.array(labels, dtype=np.int64) if columns == 2 else None, load
