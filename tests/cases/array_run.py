"""Input vectors through a tile array, as phases of a case; and random contents of arrays."""

from collections.abc import Sequence

import numpy as np

from sim.golden.compute_unit import vector_bit_blocks
from sim.golden.tile_array import tile_array_sets, tile_inputs
from sme_hw.array_cycles import adder_levels, array_clip_settle_cycles
from sme_hw.array_image import ArrayImage, ArrayRoutes
from sme_hw.array_pack import pack_array, pack_array_inputs
from sme_hw.array_run_cycles import array_run_clocks
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams

from .case import Clocked, Expected, Values
from .hardware import input_beat, random_image, random_inputs
from .tile_run import VectorRun, result_beats, result_payloads

__all__ = ["ArrayRun", "random_array", "random_packets", "vector_beats"]


def _deal(rng: np.random.Generator, tiles: int) -> tuple[tuple[int, ...], ...]:
    """Return units in packets: of any number, in any order."""
    packets = int(rng.integers(1, tiles + 1))
    of_unit = np.concatenate([np.arange(packets), rng.integers(packets, size=tiles - packets)])
    of_unit = rng.permutation(of_unit)
    return tuple(tuple(np.flatnonzero(of_unit == p).tolist()) for p in range(packets))


def random_array(rng: np.random.Generator, hardware: HardwareParams, tiles: int) -> ArrayImage:
    """Return tiles in random packets, each packet of a size of its own."""
    routes = ArrayRoutes(_deal(rng, tiles), _deal(rng, tiles))
    sizes = np.zeros((tiles, 2), int)
    for side, packets, largest in (
        (0, routes.inputs, hardware.rows),
        (1, routes.results, hardware.cols),
    ):
        for packet in packets:
            sizes[list(packet), side] = rng.integers(1, largest + 1, size=2).max()
    return ArrayImage(tuple(random_image(rng, hardware, *s) for s in sizes.tolist()), routes)


def random_packets(
    rng: np.random.Generator, hardware: HardwareParams, image: ArrayImage, vectors: int
) -> list[np.ndarray]:
    """Return the input packets of random vectors, extremes among them."""
    return [random_inputs(rng, hardware, vectors, inputs) for inputs in image.packet_inputs]


def vector_beats(packets: Sequence[np.ndarray], hardware: HardwareParams) -> list[list[list[int]]]:
    """Return the values in the beats of each vector, given its packets of results."""
    parts = [result_beats(packet, hardware.results_per_beat) for packet in packets]
    return [[beat for part in vector for beat in part] for vector in zip(*parts, strict=True)]


class ArrayRun(VectorRun):
    """A program for an array, input vectors, and what must come of them.

    Parameters
    ----------
    hardware : HardwareParams
    units : int
        Units of the array.
    images : sequence of ArrayImage
        What the program loads, one for each weight set in use.
    packets : sequence of sequence of numpy.ndarray of integers, shape (vectors, inputs)
        For each of them, its input packets.
    order : numpy.ndarray of integers, shape (all vectors,)
        Set of every vector, in the order in which they are sent.
    """

    def __init__(
        self,
        hardware: HardwareParams,
        units: int,
        images: Sequence[ArrayImage],
        packets: Sequence[Sequence[np.ndarray]],
        order: np.ndarray,
    ):
        self.hardware, self.units = hardware, units
        self.program = pack_array(images, hardware, units)
        beats = [
            [[input_beat(hardware, beat, s) for beat in vector] for vector in vectors]
            for s, vectors in enumerate(pack_array_inputs(p, hardware) for p in packets)
        ]
        self.inputs = in_order(order, beats)
        self.images, self.packets = images, packets
        self.sums, self.clips = tile_array_sets(images, hardware, units, packets)
        bits = hardware.result_bits + adder_levels(units)
        payloads = [
            [result_payloads(vector, bits) for vector in vector_beats(part, hardware)]
            for part in self.sums
        ]
        self.results = in_order(order, payloads)
        counts = [
            np.transpose(
                [
                    vector_bit_blocks(tile, hardware, vectors)
                    for tile, vectors in zip(image.tiles, tile_inputs(image, part), strict=True)
                ]
            ).tolist()
            for image, part in zip(images, packets, strict=True)
        ]
        self.fill, self.clocks = array_run_clocks(
            hardware, units, [images[s] for s in order], in_order(order, counts)
        )

    def counters(self, clips: np.ndarray) -> Clocked:
        """Return a look at the clip counters of all units and planes."""
        hardware = self.hardware
        settle = array_clip_settle_cycles(hardware.planes, hardware.clip_flags)
        clocks: list[tuple[Values, Expected]] = []
        for (unit, plane), count in np.ndenumerate(clips):
            clocks.append(({"clip_unit": unit, "clip_plane": plane}, {}))
            clocks += [({}, {})] * (settle - 1)
            clocks.append(({}, {"clips": int(count)}))
        return Clocked("clip counters", clocks)
