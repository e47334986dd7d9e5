"""What a layer puts into a tile array: a tile for each unit, and how packets go."""

from dataclasses import dataclass

from .array_program import check_units
from .errors import InputError
from .params import HardwareParams
from .tile_image import TileImage, check_image

__all__ = ["ArrayImage", "ArrayRoutes", "check_array_image"]

Packets = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ArrayRoutes:
    """Which units the packets of vectors go to, and come from.

    Parameters
    ----------
    inputs : tuple of tuple of int
        For each input packet, the units that get it.
    results : tuple of tuple of int
        For each result packet, the units whose results are added.
    """

    inputs: Packets
    results: Packets

    def check(self, units: int) -> None:
        """Refuse routes that are not of the first ``units`` units, each once on either side.

        Raises
        ------
        InputError
            A packet has no units or a unit that is not there, or a unit has no packet or several;
            packet and unit are named.
        """
        for kind, packets in (("input", self.inputs), ("result", self.results)):
            of_unit: dict[int, int] = {}
            for number, packet in enumerate(packets):
                if not packet:
                    raise InputError(f"{kind} packet {number} has no units")
                for unit in packet:
                    if not 0 <= unit < units:
                        raise InputError(
                            f"{kind} packet {number}: there is no unit {unit}, only 0..{units - 1}"
                        )
                    if unit in of_unit:
                        raise InputError(
                            f"{kind} packet {number}: unit {unit} already has {kind} packet "
                            f"{of_unit[unit]}"
                        )
                    of_unit[unit] = number
            missing = sorted(set(range(units)) - of_unit.keys())
            if missing:
                raise InputError(f"unit {missing[0]} has no {kind} packet")


@dataclass(frozen=True, eq=False)
class ArrayImage:
    """What one layer, or a part of one, puts into a tile array.

    Parameters
    ----------
    tiles : tuple of TileImage
        Of the first units; units beyond them have nothing to do.
    routes : ArrayRoutes
    """

    tiles: tuple[TileImage, ...]
    routes: ArrayRoutes

    @property
    def packet_inputs(self) -> list[int]:
        """Inputs of each input packet."""
        return [self.tiles[packet[0]].inputs for packet in self.routes.inputs]

    @property
    def packet_columns(self) -> list[int]:
        """Columns of each result packet."""
        return [self.tiles[packet[0]].columns for packet in self.routes.results]


def check_array_image(image: ArrayImage, hardware: HardwareParams, units: int) -> None:
    """Refuse an image that an array of ``units`` units could not compute rightly.

    Raises
    ------
    InputError
        There are too many tiles, one of them cannot be computed rightly, the routes are wrong, or
        tiles that share a packet have different sizes; tile or packet are named.
    ParameterError
        There is no array of so many units.
    """
    check_units(units)
    if not 1 <= len(image.tiles) <= units:
        raise InputError(
            f"{len(image.tiles)} tiles do not fit an array of {units} units: 1..{units}"
        )
    for number, tile in enumerate(image.tiles):
        try:
            check_image(tile, hardware)
        except InputError as error:
            raise InputError(f"tile {number}: {error}") from None
    image.routes.check(len(image.tiles))
    for kind, what, packets in (
        ("input", "inputs", image.routes.inputs),
        ("result", "columns", image.routes.results),
    ):
        for number, packet in enumerate(packets):
            sizes = [getattr(image.tiles[unit], what) for unit in packet]
            if len(set(sizes)) > 1:
                raise InputError(
                    f"{kind} packet {number}: tiles of {min(sizes)} and {max(sizes)} {what} "
                    "cannot share it"
                )
