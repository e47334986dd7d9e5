"""What a unit takes on an FPGA stays as in the baseline; the benchmark reads its tools right."""

import itertools

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from benchmarks import baselines
from benchmarks.fpga import UNITS, critical_path, main, measure, utilisation
from benchmarks.serial_pins import SerialPins
from tests.support import simulate

BASELINE = {
    "tolerances": {"LUT4": [0.03, 0.03], "block_RAM": [0, 0], "fmax_MHz": [0.1, None]},
    "units": {"some": {"LUT4": 1000, "block_RAM": 4, "fmax_MHz": 100.0, "FF": 7}},
}


def test_synthesised_unit_is_as_in_the_baseline():
    """A small unit takes as many cells as when the baseline was made.

    After a change for the better: ``python -m benchmarks.fpga --units tiny --update``.
    """
    baseline = baselines.read()
    measured = measure(UNITS["tiny"])
    assert not baselines.deviations("tiny", measured, baseline)
    # All that can be counted without placing it is looked at.
    assert {"LUT4", "carry", "FF", "block_RAM"} <= baseline["tolerances"].keys() & measured.keys()


def test_baseline_has_every_unit():
    """The baseline and the benchmark know the same units."""
    assert baselines.read()["units"].keys() == UNITS.keys()


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({}, []),
        ({"LUT4": 1030, "fmax_MHz": 90.0}, []),
        ({"LUT4": 970, "fmax_MHz": 900.0, "FF": 8, "more": 1}, []),
        ({"LUT4": 1031}, ["some: LUT4 is 1031, allowed 970.0 to 1030.0"]),
        ({"LUT4": 969}, ["some: LUT4 is 969, allowed 970.0 to 1030.0"]),
        ({"block_RAM": 5}, ["some: block_RAM is 5, allowed 4.0 to 4.0"]),
        ({"fmax_MHz": 89.9}, ["some: fmax_MHz is 89.9, allowed 90.0 to inf"]),
        ({"fmax_MHz": None}, ["some: fmax_MHz is None, in the baseline 100.0"]),
    ],
)
def test_deviations(change, lines):
    """Only what left its tolerance is named, with what would be allowed."""
    measured = BASELINE["units"]["some"] | change
    assert baselines.deviations("some", measured, BASELINE) == lines


def test_new_unit_and_new_figure_deviate():
    """What the baseline does not have cannot pass."""
    assert baselines.deviations("new", {}, BASELINE) == [
        "new: not in the baseline; --update puts it there"
    ]
    unplaced = {"tolerances": BASELINE["tolerances"], "units": {"some": {}}}
    assert baselines.deviations("some", {"fmax_MHz": 1.0}, unplaced) == [
        "some: fmax_MHz is 1.0, in the baseline None"
    ]


def test_update_keeps_the_rest(tmp_path):
    """Tolerances and units that were not measured stay as they were."""
    path = tmp_path / "fpga.json"
    path.write_text('{"tolerances": {"LUT4": [0, 0]}, "units": {"a": {"LUT4": 1}, "b": {}}}')
    baselines.update({"b": {"LUT4": 2}}, path)
    assert baselines.read(path) == {
        "tolerances": {"LUT4": [0, 0]},
        "units": {"a": {"LUT4": 1}, "b": {"LUT4": 2}},
    }


def step(kind, delay, cell, port):
    """Return a step of a path as nextpnr reports it."""
    end = {"cell": cell, "port": port, "loc": [1, 2]}
    return {"type": kind, "delay": delay, "from": end, "to": end}


def test_critical_path():
    """The path within the clock is summed up by kind, with the names in the Verilog."""
    path = [
        step("clk-to-q", 5.5, "shift_add_0.cells.0.0", "DOA1"),
        step("routing", 1.25, "shift_add_0.sum_LUT4_Z_3", "B"),
        step("logic", 0.25, "shift_add_0.sum_LUT4_Z_3", "F"),
        step("routing", 0, "shift_add_0.sum_LUT4_Z_3$CCU2_COMB1", "FCI"),
        step("routing", 1.5, "shift_add_0.total_TRELLIS_FF_Q", "M"),
        step("setup", 0.0, "shift_add_0.total_TRELLIS_FF_Q", "M"),
    ]
    clock = "posedge clk"
    report = {
        "critical_paths": [
            {"from": "<async>", "to": "<async>", "path": path[:1]},
            {"from": "<async>", "to": clock, "path": path[:2]},
            {"from": clock, "to": clock, "path": path},
        ]
    }
    assert critical_path(report) == {
        "from": "shift_add_0.cells.0.0.DOA1",
        "to": "shift_add_0.total.M",
        "through": ["shift_add_0.sum"],
        "total_ns": 8.5,
        "clock_to_output_ns": 5.5,
        "logic_ns": 5.75,
        "routing_ns": 2.75,
        "hops": 2,
    }


def test_utilisation():
    """What is used of each kind is read from nextpnr's log, more than there is included."""
    log = (
        "Info: Device utilisation:\n"
        "Info: \t         ICESTORM_LC:    4326/   5280    81%\n"
        "Info: \t        ICESTORM_RAM:      32/     30   106%\n"
        "Info: [ 16111,  17593) |****+\n"
    )
    assert utilisation(log) == {"ICESTORM_LC": (4326, 5280), "ICESTORM_RAM": (32, 30)}


def test_unknown_unit_is_named(monkeypatch, capsys):
    """A unit that does not exist is bad input."""
    monkeypatch.setattr("sys.argv", ["fpga", "--units", "tiny,large"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert "'large' is none of paper," in capsys.readouterr().err


def test_missing_tool_is_named(monkeypatch, capsys):
    """A tool that is not installed is named, with how to install it."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("sys.argv", ["fpga", "--units", "tiny"])
    assert main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: yosys was not found: pip install")


class Inverter(wiring.Component):
    """Ports of more than one bit in both directions, one of them nested."""

    def __init__(self):
        super().__init__(
            {"a": In(3), "b": In(wiring.Signature({"x": Out(2), "y": In(2)})), "c": Out(3)}
        )

    def elaborate(self, platform):
        """Connect outputs to inverted inputs."""
        m = Module()
        m.d.comb += [self.c.eq(~self.a), self.b.y.eq(~self.b.x)]
        return m


def test_serial_pins():
    """Every input bit can be set, and every output bit be seen, through the pins."""
    wrapper = SerialPins(component=Inverter())

    async def testbench(ctx):
        for bits in itertools.product((0, 1), repeat=5):
            for bit in bits:
                ctx.set(wrapper.i, bit)
                await ctx.tick()
            ctx.set(wrapper.load, 1)
            await ctx.tick()
            ctx.set(wrapper.load, 0)
            seen = []
            for _ in bits:
                seen.append(ctx.get(wrapper.o))
                await ctx.tick()
            inverted = [1 - bit for bit in bits]
            # Inputs are a and b.x, outputs b.y and c.
            assert seen == inverted[3:] + inverted[:3]

    simulate(wrapper, testbench)
