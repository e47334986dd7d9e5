"""Files appear whole or not at all."""

import pytest

from rtl_gen.files import staged_directory, staged_file
from sme_hw.errors import InputError


def listing(folder):
    """Return all files below a folder."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_failure_leaves_what_was_there(tmp_path):
    """An exception in the block changes nothing, and leaves nothing behind."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept.txt").write_text("old")

    def write(staged, *parts):
        with staged as place:
            place.joinpath(*parts).write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write(staged_directory(tmp_path / "out"), "kept.txt")
    with pytest.raises(RuntimeError):
        write(staged_file(tmp_path / "out" / "kept.txt"))
    assert listing(tmp_path) == ["out/kept.txt"]
    assert (tmp_path / "out" / "kept.txt").read_text() == "old"


def test_success_replaces_and_keeps_the_rest(tmp_path):
    """Only the staged files change."""
    target = tmp_path / "a" / "b"
    for text in ("one", "two"):
        with staged_directory(target) as stage:
            (stage / "sub").mkdir()
            (stage / "sub" / "file.txt").write_text(text)
        (target / "other.txt").write_text("mine")
    with staged_file(target / "single.txt") as temporary:
        temporary.write_text("x")
    assert listing(tmp_path) == ["a/b/other.txt", "a/b/single.txt", "a/b/sub/file.txt"]
    assert (target / "sub" / "file.txt").read_text() == "two"


def test_impossible_targets_are_refused(tmp_path):
    """A file where a folder is needed, or the other way round."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for target in ("file", "file/below"):
        with pytest.raises(InputError, match="cannot be written"):
            with staged_directory(tmp_path / target):
                pass
    for target in ("folder", "file/below"):
        with pytest.raises(InputError, match="cannot be written"), staged_file(tmp_path / target):
            pass
    assert listing(tmp_path) == ["file"]
