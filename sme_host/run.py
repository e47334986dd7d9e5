"""Mapped layers on a board, compared with the golden model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sim.cosim.array_layer import array_layers
from sim.cosim.jobs import check_inputs
from sim.golden.tile_array import tile_array_sets
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
        Vectors are counted for every array of tiles that ran at once; results are sums of its row
        tiles.
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

    parts = array_layers(layer, device.units)
    hardware = layer.parameters.hardware
    while held := [parts.pop(0) for _ in range(min(len(parts), hardware.weight_sets))]:
        images = [part.image for part in held]
        packets = [part.packets(inputs) for part in held]
        expected, expected_clips = tile_array_sets(images, hardware, device.units, packets)
        # They take turns: each vector comes once for every set.
        order = np.tile(np.arange(len(held)), len(inputs))
        start = time.perf_counter()
        device.load(images)
        loaded = time.perf_counter()
        found = device.run(
            packets,
            order,
            [image.packet_columns for image in images],
            more(f"{layer.name} {' + '.join(part.name for part in held)}"),
        )
        run_seconds += time.perf_counter() - loaded
        load_seconds += loaded - start
        for part, sums, wanted in zip(held, found, expected, strict=True):
            outputs += part.sums(sums)
            for values, golden in zip(sums, wanted, strict=True):
                mismatches += int(np.count_nonzero(values != golden))
                results += values.size
            tiles += len(part.image.tiles)
        vectors += len(order)
        clips += int(device.clips().sum())
        golden_clips += int(expected_clips.sum())
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
