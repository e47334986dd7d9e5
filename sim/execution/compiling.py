"""How functions of this package are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

__all__ = ["compiled", "inner"]

F = TypeVar("F", bound=Callable[..., Any])


def inner(function: F) -> F:
    """Compile a function that only compiled ones call."""
    return njit(function)


def compiled(function: F) -> F:
    """Compile at the first call, and keep the machine code in a file if there is a place for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return njit(nogil=True)(function)
