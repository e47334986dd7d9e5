"""Cases of :class:`sme_hw.bus.bus_unit.BusUnit`."""

from collections.abc import Iterator

import numpy as np

from sim.golden.bus_unit import input_bytes, result_bytes
from sim.golden.compute_unit import compute_unit_sets
from sme_hw.bus.bus_unit import BusUnit
from sme_hw.bus.lanes import bus_lanes
from sme_hw.bus.registers import register_map
from sme_hw.pack import in_order
from sme_hw.params import HardwareParams

from .case import SEED, Case, Clocked, Phase, Span, Streams, Values
from .hardware import HARDWARE, random_image, random_inputs, random_order
from .tile_run import TileRun
from .values import join

__all__ = ["cases"]

SETS = ("slc", "mlc-free-shifts", "narrow", "sets-reordered")

VECTORS = 4

BUS_CLOCKS = 2
"""A register at either end of the streams, as the docstring says."""


_CONTROL = next(k for k, r in enumerate(register_map(HARDWARE["slc"], 1)) if r.name == "control")
_RESET: Values = {
    "registers__valid": 1,
    "registers__write": 1,
    "registers__address": _CONTROL,
    "registers__data": 1,
    "registers__strobe": 1,
}
"""What asks for a reset; registers lie alike in all designs."""


def _beats(data: bytes, beat: int) -> list[int]:
    return [int.from_bytes(data[k : k + beat], "little") for k in range(0, len(data), beat)]


def _phases(hardware: HardwareParams) -> list[Phase]:
    """Load random tiles, and run random vectors as bytes."""
    rng = np.random.default_rng(SEED)
    lanes = bus_lanes(hardware, 1)
    size = hardware.rows, hardware.cols
    images = [random_image(rng, hardware, *size) for _ in range(hardware.weight_sets)]
    inputs = [random_inputs(rng, hardware, VECTORS, image.inputs) for image in images]
    order = random_order(rng, len(images), VECTORS)
    run = TileRun(hardware, images, inputs, order)
    sent = []
    for weight_set, data in zip(
        order, in_order(order, [input_bytes([v], hardware, 1) for v in inputs]), strict=True
    ):
        for value in _beats(data, lanes.input_beat):
            sent.append(join((value, 8 * lanes.input_beat), (int(weight_set), hardware.set_bits)))
    results, _ = compute_unit_sets(images, hardware, inputs)
    received = []
    for data in in_order(order, [result_bytes([part], hardware, 1) for part in results]):
        beats = _beats(data, lanes.result_beat)
        received += [
            join((value, 8 * lanes.result_beat), (k == len(beats) - 1, 1))
            for k, value in enumerate(beats)
        ]
    last = len(received) - 1
    return [
        Streams("program", sends={"program": run.program.tolist()}),
        # A program takes effect after its last word was taken.
        Streams("first", sends={"i": sent}, receives={"o": received}),
        Streams(
            "again",
            sends={"i": sent},
            receives={"o": received},
            spans=[Span(("i", 0), ("o", last), run.clocks - 1 + BUS_CLOCKS)],
        ),
        # The program is offered while the reset lasts: none of it may be lost.
        Clocked("software reset", [(_RESET, {}), ({}, {"registers__done": 1})]),
        Streams(
            "program behind a reset",
            sends={"program": run.program.tolist()},
            levels={"registers__valid": 0},
        ),
        Streams("behind a reset", sends={"i": sent}, receives={"o": received}),
    ]


def cases() -> Iterator[Case]:
    """Yield one case per parameter set."""
    for name in SETS:
        hardware = HARDWARE[name]
        yield Case(
            f"bus_unit-{name}",
            lambda hardware=hardware: BusUnit(hardware=hardware, units=1),
            _phases(hardware),
        )
