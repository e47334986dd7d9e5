"""Jobs for boards with what must come of them, and a port that spoils what passes."""

from dataclasses import dataclass

import numpy as np

from sim.golden.tile_array import tile_array_sets
from sme_hw.array_image import ArrayImage
from tests.cases.array_run import random_array, random_packets

__all__ = ["BadPort", "Job", "compute", "random_job"]


class BadPort:
    """A port that loses, repeats and changes bytes, in both directions."""

    def __init__(self, port, rng, share):
        self._port, self._rng, self._share = port, rng, share
        self.faults = 0

    def _spoil(self, data):
        spoilt = bytearray()
        for byte in data:
            if self._rng.random() >= self._share:
                spoilt.append(byte)
                continue
            self.faults += 1
            kind = self._rng.randrange(3)
            spoilt += [b"", bytes([byte, byte]), bytes([byte ^ 1 << self._rng.randrange(8)])][kind]
        return bytes(spoilt)

    def read(self, size):
        """Return bytes, some of them spoilt."""
        return self._spoil(self._port.read(size))

    def write(self, data):
        """Send bytes, some of them spoilt."""
        self._port.write(self._spoil(data))


@dataclass(frozen=True, eq=False)
class Job:
    """What a board is to do, and what must come of it.

    Parameters
    ----------
    images : list of ArrayImage
    packets : list of list of numpy.ndarray
    order : numpy.ndarray
    columns : list of list of int
        As for :class:`Device`.
    results : list of tuple of numpy.ndarray
        For each set, its result packets.
    clips : numpy.ndarray of int64, shape (units, planes)
    """

    images: list[ArrayImage]
    packets: list[list[np.ndarray]]
    order: np.ndarray
    columns: list[list[int]]
    results: list[tuple[np.ndarray, ...]]
    clips: np.ndarray


def random_job(rng, hardware, vectors, units=1):
    """Return random tiles for all units and sets, with vectors in any order."""
    sets = hardware.weight_sets
    images = [random_array(rng, hardware, units if s == 0 else 1) for s in range(sets)]
    packets = [random_packets(rng, hardware, image, vectors) for image in images]
    order = rng.permutation(np.repeat(np.arange(sets), vectors))
    results, clips = tile_array_sets(images, hardware, units, packets)
    return Job(images, packets, order, [image.packet_columns for image in images], results, clips)


def compute(device, job):
    """Load a job's tiles and run its vectors; every value and clip must be as expected."""
    device.load(job.images)
    told = []
    results = device.run(job.packets, job.order, job.columns, told.append)
    for found, expected in zip(results, job.results, strict=True):
        for values, golden in zip(found, expected, strict=True):
            assert values.tolist() == golden.tolist()
    assert device.clips().tolist() == job.clips.tolist()
    assert device.counters()["vectors"] == len(job.order) == told[-1]
    assert told == sorted(told)
