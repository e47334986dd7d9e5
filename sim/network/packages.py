"""Packages of the extra ``network``, and what they say when something is wrong."""

import importlib
from typing import Any

from sme_hw.errors import InputError

__all__ = ["one_line", "require"]


def require(module: str) -> Any:
    """Return a module of the extra ``network``.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise InputError(f"networks need {package}: pip install sme[network]") from None


def one_line(error: BaseException) -> str:
    """Return the first sentence of an error's message on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
