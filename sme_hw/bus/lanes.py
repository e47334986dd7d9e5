"""How values lie on a bus: whole bytes each, so that an array in memory is the stream."""

from dataclasses import dataclass

from sme_hw.array_cycles import adder_levels
from sme_hw.params import HardwareParams, ceil_div

__all__ = ["BusLanes", "array_result_bits", "bus_lanes"]


@dataclass(frozen=True)
class BusLanes:
    """Bytes of the streams on a bus.

    Parameters
    ----------
    input_lane, result_lane : int
        Bytes of a value, a power of two: signed values fill them with their sign, others with 0.
    inputs, results : int
        Values of a beat.
    """

    input_lane: int
    result_lane: int
    inputs: int
    results: int

    @property
    def input_beat(self) -> int:
        """Bytes of a beat of inputs."""
        return self.input_lane * self.inputs

    @property
    def result_beat(self) -> int:
        """Bytes of a beat of results."""
        return self.result_lane * self.results


def array_result_bits(hardware: HardwareParams, units: int) -> int:
    """Return the bits of a signed sum of the results of ``units`` compute units."""
    return hardware.result_bits + adder_levels(units)


def _lane(bits: int) -> int:
    """Return the bytes that hold so many bits, a power of two."""
    return 1 << (ceil_div(bits, 8) - 1).bit_length()


def bus_lanes(hardware: HardwareParams, units: int) -> BusLanes:
    """Return how values lie on the bus.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Compute units whose results are added.
    """
    return BusLanes(
        _lane(hardware.input_bits),
        _lane(array_result_bits(hardware, units)),
        hardware.inputs_per_beat,
        hardware.results_per_beat,
    )
