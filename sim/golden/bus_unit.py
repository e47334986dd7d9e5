"""Reference of :class:`sme_hw.bus.bus_unit.BusUnit`: vectors as bytes.

A vector is packets, one after the other; a single one where there is one compute unit.
"""

from collections.abc import Sequence

import numpy as np

from sme_hw.bus.lanes import bus_lanes
from sme_hw.pack import pack_inputs
from sme_hw.params import HardwareParams, ceil_div

from .result_buffer import result_buffer

__all__ = ["input_bytes", "result_bytes", "result_sizes", "results_of_bytes"]


def _joined(packets: Sequence[np.ndarray], lane: int) -> list[bytes]:
    """Return each vector's beats of all packets, given arrays (vectors, beats, lanes)."""
    kind = f"<i{lane}"
    parts = [
        [beats.astype(kind, casting="unsafe").tobytes() for beats in packet] for packet in packets
    ]
    return [b"".join(vector) for vector in zip(*parts, strict=True)]


def input_bytes(packets: Sequence[np.ndarray], hardware: HardwareParams, units: int) -> list[bytes]:
    """Return each vector as the bytes of its beats.

    Parameters
    ----------
    packets : sequence of numpy.ndarray of integers, shape (vectors, inputs)
        For each input packet, its part of all vectors.
    hardware : HardwareParams
    units : int
        Compute units behind the bus.
    """
    lane = bus_lanes(hardware, units).input_lane
    return _joined([pack_inputs(packet, hardware) for packet in packets], lane)


def result_bytes(
    packets: Sequence[np.ndarray], hardware: HardwareParams, units: int
) -> list[bytes]:
    """Return the bytes of each vector's result beats.

    Parameters
    ----------
    packets : sequence of numpy.ndarray of integers, shape (vectors, columns)
        For each result packet, its part of all vectors.
    hardware : HardwareParams
    units : int
        Compute units behind the bus.
    """
    lanes = bus_lanes(hardware, units)
    return _joined([result_buffer(packet, lanes.results) for packet in packets], lanes.result_lane)


def result_sizes(columns: Sequence[int], hardware: HardwareParams, units: int) -> list[int]:
    """Return the bytes of each result packet, given its columns."""
    lanes = bus_lanes(hardware, units)
    return [ceil_div(count, lanes.results) * lanes.result_beat for count in columns]


def results_of_bytes(
    vectors: Sequence[bytes], columns: Sequence[int], hardware: HardwareParams, units: int
) -> list[np.ndarray]:
    """Return what :func:`result_bytes` packed: for each packet int64, shape (vectors, columns)."""
    lane = bus_lanes(hardware, units).result_lane
    ends = np.cumsum(result_sizes(columns, hardware, units)) // lane
    values = np.frombuffer(b"".join(vectors), f"<i{lane}").reshape(len(vectors), ends[-1])
    starts = [0, *ends[:-1].tolist()]
    return [
        values[:, start : start + count].astype(np.int64)
        for start, count in zip(starts, columns, strict=True)
    ]
