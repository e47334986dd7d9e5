"""Results that are kept in a file, so that nothing is measured twice."""

import json
from pathlib import Path
from typing import Any

from rtl_gen.files import staged_file, write_json
from sme_hw.errors import InputError

from .ladder import Rung

__all__ = ["Measured", "Results"]

Measured = tuple[Rung, dict[str, Any]]
"""A rung and its result, from :func:`benchmarks.squeeze_accuracy.measure.measure`."""


def _text(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


class Results:
    """Results of a network by their keys, in a JSON file.

    Parameters
    ----------
    path : path
        Read if it is there.

    Raises
    ------
    InputError
        It is there but holds something else.
    """

    def __init__(self, path: Path):
        self._path = path
        self._entries: list[dict[str, Any]] = []
        if path.exists():
            try:
                self._entries = json.loads(path.read_text(encoding="utf-8"))
                self._known = {_text(entry["key"]): entry["result"] for entry in self._entries}
            except (OSError, ValueError, TypeError, KeyError):
                raise InputError(f"{path} holds no results of this benchmark: remove it") from None
        else:
            self._known = {}

    def get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        """Return the result of a key, None if it is not known."""
        return self._known.get(_text(key))

    def add(self, key: dict[str, Any], result: dict[str, Any]) -> None:
        """Add a result, and write all to the file."""
        self._known[_text(key)] = result
        self._entries.append({"key": key, "result": result})
        with staged_file(self._path) as temporary:
            write_json(temporary, self._entries)
