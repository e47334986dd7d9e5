# amaranth: UnusedElaboratable=no
"""A bridge with registers behind it."""

from amaranth import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from sme_hw.bus.beats import InputBytes, ResultBytes
from sme_hw.bus.link_bridge import LinkBridge
from sme_hw.bus.link_params import LinkParams
from sme_hw.bus.register_bus import WORD_BITS, RegisterBus
from sme_hw.bus.uart_bridge import UartBridge
from sme_hw.bus.uart_receiver import UartReceiver
from sme_hw.sharing import shared

__all__ = ["READ_ONLY", "RESULTS", "WRITABLE", "BenchRegisters", "BridgeBench", "Registers"]

WRITABLE = range(8)
"""Registers that can be written."""

READ_ONLY = range(8, 12)

RESULTS = 64
"""Beats that may wait."""


def _constant(address: int) -> int:
    """Return what a register shows that can only be read."""
    return 0xC0DB0000 + address


class Registers:
    """Reference of the registers of a bench."""

    def __init__(self) -> None:
        self.words = dict.fromkeys(WRITABLE, 0)
        self.writes: list[tuple[int, int]] = []

    def __call__(self, address: int, word: int | None) -> int | None:
        """Read, or write a word; return None for an error."""
        if word is None:
            return _constant(address) if address in READ_ONLY else self.words.get(address)
        if address not in self.words:
            return None
        self.writes.append((address, word))
        self.words[address] = word
        return 0


class BenchRegisters(wiring.Component):
    """Registers that take one to four clocks.

    Parameters
    ----------
    address_bits : int

    Members
    -------
    bus : In(RegisterBus)
    wrote : Out(1)
        A register was written.
    written_address, written_word : Out
        Which one, and the word.
    """

    def __init__(self, *, address_bits: int):
        self.address_bits = address_bits
        super().__init__(
            {
                "bus": In(RegisterBus(address_bits=address_bits)),
                "wrote": Out(1),
                "written_address": Out(address_bits),
                "written_word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the registers."""
        m = Module()
        bus = self.bus
        words = Array(Signal(WORD_BITS, name=f"word_{n}") for n in WRITABLE)
        wait = Signal(2)
        writable = bus.address < WRITABLE.stop
        m.d.sync += [bus.done.eq(0), self.wrote.eq(0)]
        with m.If(bus.valid & ~bus.done):
            m.d.sync += wait.eq(wait + 1)
            with m.If(wait == bus.address[:2]):
                m.d.sync += [
                    wait.eq(0),
                    bus.done.eq(1),
                    bus.error.eq(
                        ~writable & (bus.write | (bus.address >= READ_ONLY.stop)),
                    ),
                    bus.read_data.eq(_constant(0) + bus.address),
                ]
                with m.If(writable):
                    m.d.sync += bus.read_data.eq(words[bus.address[:3]])
                with m.If(writable & bus.write & bus.strobe.all()):
                    m.d.sync += [
                        words[bus.address[:3]].eq(bus.data),
                        self.wrote.eq(1),
                        self.written_address.eq(bus.address),
                        self.written_word.eq(bus.data),
                    ]
        return m


class BridgeBench(wiring.Component):
    """Connect a bridge to registers, and results to a buffer.

    Parameters
    ----------
    link : LinkParams
    divisor : float, optional
        Clocks a bit; without it, bytes come and go without a UART.

    Members
    -------
    rx, rx_valid, rx_data, rx_error, tx, program, i, o, flush, corrupt_frames
        As of the bridge.
    said : Out(1)
        A byte has come from the bridge; only with a UART.
    byte : Out(8)
        The byte.
    wrote, written_address, written_word
        As of the registers.
    """

    def __init__(self, *, link: LinkParams, divisor: float | None = None):
        self.divisor = divisor
        self.link = link
        line = {
            "rx_valid": In(1),
            "rx_data": In(8),
            "rx_error": In(1),
            "tx": Out(stream.Signature(8)),
        }
        if divisor:
            line = {"rx": In(1, init=1), "tx": Out(1), "said": Out(1), "byte": Out(8)}
        super().__init__(
            {
                **line,
                "program": Out(stream.Signature(WORD_BITS)),
                "i": Out(
                    stream.Signature(
                        InputBytes(beat_bytes=link.input_beat_bytes, dest_bits=link.dest_bits)
                    )
                ),
                "o": In(stream.Signature(ResultBytes(beat_bytes=link.result_beat_bytes))),
                "flush": In(1),
                "corrupt_frames": Out(16),
                "wrote": Out(1),
                "written_address": Out(link.address_bits),
                "written_word": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect all."""
        m = Module()
        bridge: LinkBridge | UartBridge
        if self.divisor:
            bridge = UartBridge(divisor=self.divisor, link=self.link)
            ear = UartReceiver(divisor=self.divisor)
            m.submodules.ear = shared(ear, platform)
            m.d.comb += [
                bridge.rx.eq(self.rx),
                self.tx.eq(bridge.tx),
                ear.rx.eq(bridge.tx),
                self.said.eq(ear.valid),
                self.byte.eq(ear.data),
            ]
        else:
            bridge = LinkBridge(link=self.link)
            m.d.comb += [
                bridge.rx_valid.eq(self.rx_valid),
                bridge.rx_data.eq(self.rx_data),
                bridge.rx_error.eq(self.rx_error),
            ]
            wiring.connect(m, bridge.tx, wiring.flipped(self.tx))
        m.submodules.bridge = shared(bridge, platform)
        payload = ResultBytes(beat_bytes=self.link.result_beat_bytes)
        m.submodules.results = results = SyncFIFOBuffered(width=payload.size, depth=RESULTS)
        wiring.connect(m, bridge.program, wiring.flipped(self.program))
        wiring.connect(m, bridge.i, wiring.flipped(self.i))
        registers = BenchRegisters(address_bits=self.link.address_bits)
        m.submodules.registers = shared(registers, platform)
        wiring.connect(m, bridge.registers, registers.bus)
        m.d.comb += [
            self.wrote.eq(registers.wrote),
            self.written_address.eq(registers.written_address),
            self.written_word.eq(registers.written_word),
            bridge.flush.eq(self.flush),
            self.corrupt_frames.eq(bridge.corrupt_frames),
            results.w_data.eq(self.o.payload),
            results.w_en.eq(self.o.valid),
            self.o.ready.eq(results.w_rdy),
            bridge.o.payload.eq(results.r_data),
            bridge.o.valid.eq(results.r_rdy),
            results.r_en.eq(bridge.o.ready),
        ]
        return m
