"""The `sme` command."""

import sys

import click

from sim.cosim import CosimError
from sme_host.errors import LinkError
from sme_hw.errors import InputError

from .boards import boards_command
from .build import build_command
from .cosim import cosim_command
from .demo import demo_command
from .eval import eval_command
from .generate import generate_command
from .host import host_command
from .limits import limit_memory
from .map import map_command
from .presets import presets_command
from .search import search_command

__all__ = ["cli", "main"]

BAD_INPUT = 2
FAILED_COMPARISON = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sme", prog_name="sme")
def cli() -> None:
    """Map DNN weights onto bit-sparse ReRAM crossbars and generate the hardware for them."""


for _command in (
    demo_command,
    map_command,
    search_command,
    eval_command,
    generate_command,
    cosim_command,
    host_command,
    presets_command,
    boards_command,
    build_command,
):
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns 0, 1 for a failed comparison, or 2 for bad input."""
    limit_memory()
    try:
        result = cli.main(arguments, prog_name="sme", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except click.Abort:
        print("aborted", file=sys.stderr)
        return 130
    except MemoryError:
        print("error: not enough memory", file=sys.stderr)
        return BAD_INPUT
    except (CosimError, LinkError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED_COMPARISON
    except (InputError, OSError) as error:
        # Names in files may hold anything, even what terminals act upon.
        line = "".join(c if c.isprintable() else " " for c in str(error))
        print(f"error: {line}", file=sys.stderr)
        return BAD_INPUT
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
