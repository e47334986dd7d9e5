"""What the benchmarks' commands have in common."""

import argparse
import sys
from collections.abc import Callable

from sme_hw.errors import InputError

__all__ = ["run_command"]


def run_command(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int | None]
) -> int:
    """Run a command on its arguments; returns its exit code, or 2 for bad input."""
    try:
        return run(parser.parse_args()) or 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
