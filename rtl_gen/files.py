"""Files that are written whole or not at all."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sme_hw.errors import InputError

__all__ = ["check_writable", "staged_directory", "staged_file", "write_json"]


def _parent_of(path: Path) -> Path:
    parent = path.resolve().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}") from None
    return parent


def check_writable(path: str | Path | None) -> None:
    """Find out before long work whether a file or folder could be written; changes nothing.

    Parameters
    ----------
    path : path or None
        Nothing is checked for None.

    Raises
    ------
    InputError
        It could not be written.
    """
    if path is None:
        return
    _check_kind(Path(path))
    existing = Path(path).resolve()
    while not existing.exists():
        existing = existing.parent
    if existing != Path(path).resolve() and not existing.is_dir():
        raise InputError(f"{path} cannot be written: {existing} is no folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"{path} cannot be written: no permission for {existing}")


def _check_kind(path: Path) -> None:
    """Refuse devices and pipes: a file that is moved there would take their place for good."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path} cannot be written: it is neither a file nor a folder")


@contextmanager
def staged_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path that takes the place of ``path`` when the block ends well.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    target = Path(path)
    _check_kind(target)
    parent = _parent_of(target)
    if target.is_dir():
        raise InputError(f"{target} cannot be written: it is a folder")
    try:
        handle, name = tempfile.mkstemp(dir=parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def staged_directory(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder whose content moves to the folder ``path`` when the block ends well.

    Other content of an existing folder stays as it is.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    target = Path(path)
    parent = _parent_of(target)
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} cannot be written: it is no folder")
    try:
        if target.exists() and not os.access(target, os.W_OK | os.X_OK):
            raise PermissionError(f"no permission to write to {target}")
        temporary = Path(tempfile.mkdtemp(dir=parent, prefix=f".{target.name}."))
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error}") from None
    try:
        yield temporary
        for source in sorted(temporary.rglob("*")):
            destination = target / source.relative_to(temporary)
            if source.is_file():
                destination.parent.mkdir(parents=True, exist_ok=True)
                source.replace(destination)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as readable JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
