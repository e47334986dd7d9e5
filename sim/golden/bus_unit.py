"""Reference of :class:`sme_hw.bus.bus_unit.BusUnit`: vectors as bytes."""

import numpy as np

from sme_hw.bus.lanes import bus_lanes
from sme_hw.pack import pack_inputs
from sme_hw.params import HardwareParams

from .result_buffer import result_buffer

__all__ = ["input_bytes", "result_bytes", "results_of_bytes"]


def input_bytes(inputs: np.ndarray, hardware: HardwareParams, units: int = 1) -> list[bytes]:
    """Return each vector as the bytes of its beats.

    Parameters
    ----------
    inputs : numpy.ndarray of integers, shape (vectors, rows)
    hardware : HardwareParams
    units : int
    """
    lane = bus_lanes(hardware, units).input_lane
    beats = pack_inputs(inputs, hardware)
    return [vector.astype(f"<i{lane}", casting="unsafe").tobytes() for vector in beats]


def result_bytes(results: np.ndarray, hardware: HardwareParams, units: int = 1) -> list[bytes]:
    """Return the bytes of the result beats of each vector, shape (vectors, columns)."""
    lanes = bus_lanes(hardware, units)
    beats = result_buffer(results, lanes.results)
    return [vector.astype(f"<i{lanes.result_lane}").tobytes() for vector in beats]


def results_of_bytes(
    data: bytes, columns: int, hardware: HardwareParams, units: int = 1
) -> np.ndarray:
    """Return what :func:`result_bytes` packed: int64, shape (vectors, columns)."""
    lanes = bus_lanes(hardware, units)
    beats = -(-columns // lanes.results)
    values = np.frombuffer(data, f"<i{lanes.result_lane}").reshape(-1, beats * lanes.results)
    return values[:, :columns].astype(np.int64)
