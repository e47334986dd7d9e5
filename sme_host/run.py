"""Mapped layers on a board, compared with the golden model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sim.cosim.jobs import check_inputs, layer_units
from sim.mapping import LayerMapping
from sme_hw.errors import InputError
from sme_hw.params import HardwareParams

from .device import Device

__all__ = ["BoardLayer", "common_hardware", "run_layers"]


@dataclass(frozen=True, eq=False)
class BoardLayer:
    """What a board did with a layer.

    Parameters
    ----------
    name : str
    outputs : numpy.ndarray of int64, shape (vectors, layer outputs)
        What it returned, row tiles summed.
    tiles, vectors, results : int
        Vectors are those of all tiles.
    mismatches : int
        Results that differ from the golden model.
    clips, golden_clips : int
        Clipped conversions of all tiles and planes.
    cycles : int
        Clocks in which the unit was busy.
    load_seconds, run_seconds : float
    """

    name: str
    outputs: np.ndarray
    tiles: int
    vectors: int
    results: int
    mismatches: int
    clips: int
    golden_clips: int
    cycles: int
    load_seconds: float
    run_seconds: float

    @property
    def equal(self) -> bool:
        """Everything is as the golden model says."""
        return not self.mismatches and self.clips == self.golden_clips

    def as_dict(self) -> dict[str, object]:
        """Return all but the outputs as plain JSON values."""
        fields = asdict(self)
        del fields["outputs"]
        return fields | {"vectors_per_second": self.vectors / max(self.run_seconds, 1e-9)}


def common_hardware(layers: Sequence[LayerMapping]) -> HardwareParams:
    """Return the hardware that all layers need.

    Raises
    ------
    InputError
        They need different ones.
    """
    first = layers[0]
    for layer in layers:
        if layer.parameters.hardware != first.parameters.hardware:
            raise InputError(
                f"{layer.name} needs other hardware than {first.name}: a board holds one design"
            )
    return first.parameters.hardware


def run_layers(
    device: Device,
    work: Sequence[tuple[LayerMapping, np.ndarray]],
    progress: Callable[[str, int], None] = lambda name, done: None,
) -> list[BoardLayer]:
    """Run every tile of some layers, one after the other, and compare.

    Parameters
    ----------
    device : Device
        Open, and built for these layers.
    work : sequence of tuple of LayerMapping and numpy.ndarray
        Layers with input vectors: integers of shape (vectors, layer inputs).
    progress : callable
        Told the name of what is run, and how many more vectors of it are done.

    Raises
    ------
    InputError
        Inputs do not fit their layer.
    LinkError
        The link is lost, or the board refuses.
    """
    return [
        _run_layer(
            device, layer, check_inputs(np.asarray(inputs), layer.inputs, hardware), progress
        )
        for layer, inputs in work
        for hardware in [layer.parameters.hardware]
    ]


def _run_layer(
    device: Device, layer: LayerMapping, inputs: np.ndarray, progress: Callable[[str, int], None]
) -> BoardLayer:
    outputs = np.zeros((len(inputs), layer.outputs), np.int64)
    tiles = vectors = results = mismatches = clips = golden_clips = cycles = 0
    load_seconds = run_seconds = 0.0

    def more(name: str) -> Callable[[int], None]:
        done = 0

        def told(count: int) -> None:
            nonlocal done
            progress(name, count - done)
            done = count

        return told

    for unit in layer_units(layer):
        (job,) = unit.jobs([inputs[:, tile.rows] for tile in unit.tiles], stalled=False)
        start = time.perf_counter()
        device.load(job.images)
        loaded = time.perf_counter()
        found = device.run(
            job.inputs,
            job.order,
            [image.columns for image in job.images],
            more(unit.name),
        )
        run_seconds += time.perf_counter() - loaded
        load_seconds += loaded - start
        for tile, values, expected in zip(unit.tiles, found, job.results, strict=True):
            outputs[:, tile.columns] += values
            mismatches += int(np.count_nonzero(values != expected))
            results += values.size
        tiles += len(unit.tiles)
        vectors += len(job.order)
        clips += sum(device.clips())
        golden_clips += int(job.clips.sum())
        cycles += device.counters()["cycles"]
    return BoardLayer(
        layer.name,
        outputs,
        tiles,
        vectors,
        results,
        mismatches,
        clips,
        golden_clips,
        cycles,
        load_seconds,
        run_seconds,
    )
