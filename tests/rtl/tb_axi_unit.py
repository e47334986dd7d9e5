"""cocotb testbench of the AXI4 wrapper, with cocotbext-axi on its buses."""

import itertools
import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from tests.rtl.axi_bench import AxiRun, read_runs

RUNS, ABOUT = read_runs()
REGISTERS = {register["name"]: register for register in ABOUT["registers"]}
SEED = ABOUT["seed"]
LIMIT_US = 20_000


class Bench:
    """A wrapper with a driver on each bus, after reset."""

    def __init__(self, dut: Any):
        self.dut = dut
        cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
        self.program, self.inputs = (
            AxiStreamSource(AxiStreamBus.from_prefix(dut, prefix), dut.clk, dut.rst)
            for prefix in ("s_axis_program", "s_axis_input")
        )
        self.results = AxiStreamSink(
            AxiStreamBus.from_prefix(dut, "m_axis_result"), dut.clk, dut.rst
        )
        self.streams = [self.program, self.inputs, self.results]
        for part in (self.lite.write_if, self.lite.read_if, *self.streams):
            part.log.setLevel("WARNING")

    async def reset(self) -> None:
        """Reset the wrapper by its port."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    def pause(self, share: float) -> None:
        """Let all channels pause at random."""
        if not share:
            return
        rng = random.Random(SEED)

        def pauses(seed: int) -> Any:
            own = random.Random(seed)
            return (own.random() < share for _ in itertools.count())

        channels = [
            *(self.lite.write_if.aw_channel, self.lite.write_if.w_channel),
            *(self.lite.write_if.b_channel, self.lite.read_if.ar_channel),
            self.lite.read_if.r_channel,
        ]
        for part in (*channels, *self.streams):
            part.set_pause_generator(pauses(rng.randrange(1 << 30)))

    async def read(self, name: str) -> int:
        """Return a register."""
        return int(await self.lite.read_dword(REGISTERS[name]["address"]))

    async def write(self, name: str, value: int) -> None:
        """Set a register."""
        await self.lite.write_dword(REGISTERS[name]["address"], value)

    async def run(self, run: AxiRun, packet: int) -> int:
        """Send all of a run, and compare its results; returns its clocks on the bus."""
        await self.write("result_packet", packet)
        await self.write("control", 2)
        await self.program.send(bytes.fromhex(run.program))
        await self.program.wait()
        while await self.read("status"):  # the program is taking effect
            pass
        for dest, data in run.inputs:
            frame = AxiStreamFrame(bytes.fromhex(data))
            if hasattr(self.dut, "s_axis_input_tdest"):
                frame.tdest = dest
            await self.inputs.send(frame)
        counter = cocotb.start_soon(self._clocks())
        expected, found = bytes.fromhex(run.results), bytearray()
        packets = 0
        while len(found) < len(expected):
            frame = await with_timeout(self.results.recv(), LIMIT_US, "us")
            found += frame.tdata
            packets += 1
        counter.cancel()
        assert found == expected
        # The last packet may be too short to end.
        assert packets == -(-run.vectors // packet)
        return self.clocks

    async def _clocks(self) -> None:
        """Count clocks from the first input beat to the last result beat."""
        dut = self.dut
        begun, self.clocks, count = False, 0, 0
        while True:
            await RisingEdge(dut.clk)
            begun = begun or bool(dut.s_axis_input_tvalid.value and dut.s_axis_input_tready.value)
            count += begun
            if dut.m_axis_result_tvalid.value and dut.m_axis_result_tready.value:
                self.clocks = count


async def start(dut: Any, pause: float = 0.0) -> Bench:
    """Return a bench after reset."""
    bench = Bench(dut)
    await bench.reset()
    bench.pause(pause)
    return bench


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.4])
async def computes(dut: Any, pause: float) -> None:
    """Give results, clip counters and clocks as expected, one run after the other."""
    bench = await start(dut, pause)
    for number, run in enumerate(RUNS):
        packet = 1 if number % 2 == 0 else run.vectors
        clocks = await bench.run(run, packet)
        if not pause:
            assert clocks == run.cycles, (clocks, run.cycles)
        assert await bench.read("vectors") == run.vectors
        assert await bench.read("status") == 0
        for number_of, clips in enumerate(run.clips):
            unit, plane = divmod(number_of, ABOUT["planes"])
            await bench.write("clip_select", plane | unit << 8)
            await ClockCycles(dut.clk, ABOUT["clip_settle"])
            assert await bench.read("clips") == clips
        waits = [await bench.read(name) for name in ("input_waits", "result_waits")]
        assert pause or waits[1] == 0
        assert await bench.read("cycles") >= run.cycles - 4


@cocotb.test()
@cocotb.parametrize(pause=[0.0, 0.4])
async def registers(dut: Any, pause: float) -> None:
    """Show constants as described, take single bytes, and refuse what must not be accessed."""
    bench = await start(dut, pause)
    size = 1 << len(dut.s_axi_araddr)
    for address in range(0, size, 4):
        known = [r for r in REGISTERS.values() if r["address"] == address]
        fields = known[0]["fields"] if known else []
        answer = await bench.lite.read(address, 4)
        written = await bench.lite.write(address, bytes(4))
        assert answer.resp == (AxiResp.OKAY if known else AxiResp.SLVERR)
        writable = any(field["access"] in ("read and write", "write 1") for field in fields)
        assert written.resp == (AxiResp.OKAY if writable else AxiResp.SLVERR)
        for field in fields:
            if field["access"] == "constant":
                value = int.from_bytes(answer.data, "little") >> field["offset"]
                assert value & (1 << field["bits"]) - 1 == field["value"], field
    packet = REGISTERS["result_packet"]["address"]
    await bench.write("result_packet", 0x1234)
    await bench.lite.write(packet + 1, b"\xab")  # a single byte, by its strobe
    assert await bench.read("result_packet") == 0xAB34
    await bench.lite.write(packet, b"\xcd")
    assert await bench.read("result_packet") == 0xABCD
    answer = await bench.lite.read(packet + 1, 2)
    assert answer.data == b"\xab\x00"
    # Both ways at the same time, and many at once.
    reads = [bench.lite.init_read(REGISTERS["id"]["address"], 4) for _ in range(20)]
    writes = [bench.lite.init_write(packet, bytes([n, 0, 0, 0])) for n in range(20)]
    for event in reads:
        await event.wait()
        assert int.from_bytes(event.data.data, "little") == REGISTERS["id"]["fields"][0]["value"]
    for event in writes:
        await event.wait()
    assert await bench.read("result_packet") == 19


@cocotb.test()
async def software_reset(dut: Any) -> None:
    """Leave nothing behind of a vector or a program that a reset cut off."""
    bench = await start(dut)
    run = RUNS[0]
    beat = len(dut.s_axis_input_tdata) // 8
    await bench.program.send(bytes.fromhex(run.program))
    await bench.program.wait()
    await bench.inputs.send(bytes.fromhex(run.inputs[0][1])[:beat])
    await bench.inputs.wait()
    await ClockCycles(dut.clk, 4)
    await bench.write("control", 1)
    # Without a program, an input waits at the unit's door.
    await bench.inputs.send(bytes.fromhex(run.inputs[0][1])[:beat])
    await bench.inputs.wait()
    # The head of a record of five entries of cells.
    await bench.program.send(b"".join(n.to_bytes(4, "little") for n in (4 << 28, 5)))
    await bench.program.wait()
    await ClockCycles(dut.clk, 4)
    assert await bench.read("status") == 1
    await bench.write("control", 1)
    assert await bench.read("status") == 0
    assert await bench.run(run, 1) == run.cycles


@cocotb.test()
async def inputs_out_of_range(dut: Any) -> None:
    """Tell of an input that the unit has no bits for, until the next reset."""
    bench = await start(dut)
    if ABOUT["input_bits"] % 8 == 0:
        return
    await bench.program.send(bytes.fromhex(RUNS[0].program))
    await bench.program.wait()
    beat = len(dut.s_axis_input_tdata) // 8
    await bench.inputs.send(bytes(beat - 1) + b"\x40")
    await bench.inputs.wait()
    await ClockCycles(dut.clk, 4)
    assert await bench.read("status") & 4
    await bench.write("control", 1)
    assert await bench.read("status") == 0
