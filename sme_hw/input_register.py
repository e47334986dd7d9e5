# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""The input register: collects vectors and drives the word lines bit by bit."""

from functools import reduce
from operator import or_

import numpy as np
from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .cycles import INPUT_BUFFERS, InputBlocks
from .params import HardwareParams, index_bits
from .row_conversion import ConvertedBeat
from .sharing import shared
from .weight_sets import set_field

__all__ = ["BitSelect", "InputRegister", "VectorHandshake", "vector_masks"]


class VectorHandshake(wiring.Signature):
    """Hands a whole vector over; the rules of a stream without payload.

    Members
    -------
    valid : Out(1)
        A vector is complete.
    ready : In(1)
        It is taken in this clock.
    set : Out(range(weight_sets))
        Its set, known one clock before the vector is valid; only with several sets.
    set_behind : Out(range(weight_sets))
        The set of the vector that comes next, as early; only with several sets.
    """

    def __init__(self, hardware: HardwareParams) -> None:
        sets = set_field(hardware) | set_field(hardware, "set_behind")
        super().__init__(
            {"valid": Out(1), "ready": In(1)} | {name: Out(bits) for name, bits in sets.items()}
        )


class BitSelect(data.StructLayout):
    """Names one block of bit-cycles of one slot.

    Fields
    ------
    bit_block : range(bit_blocks)
        Bits ``emulation_lanes * bit_block`` and following of the converted inputs.
    lanes : emulation_lanes
        Which of these bits are wanted; for the others, all word lines are off.
    slot : range(slots)
        Group of physical rows.
    """

    def __init__(self, hardware: HardwareParams):
        super().__init__(
            {
                "bit_block": index_bits(hardware.bit_blocks),
                "lanes": hardware.emulation_lanes,
                "slot": index_bits(hardware.slots),
            }
        )


def vector_masks(hardware: HardwareParams) -> data.ArrayLayout:
    """Return the layout of a vector's bit masks: one bit per bit-cycle, for every slot."""
    return data.ArrayLayout(unsigned(hardware.converted_bits), hardware.slots)


class InputRegister(wiring.Component):
    """Collect converted inputs and present bit t of one slot's rows on the word lines.

    Inputs come row by row and are needed bit by bit. Rows are collected in blocks, in one shift
    register per bit t; the one of bit t runs t clocks behind that of bit 0, so that a complete
    block leaves its shift registers bit by bit, one clock each, into a memory with one word per
    bit-cycle (reconstructed). At most :data:`sme_hw.cycles.INPUT_BUFFERS` vectors may be here, the
    one that computes included; with so many, loading never keeps computing waiting.

    A vector's beats are those of its slots, each slot beginning with a new beat; a block that they
    leave short takes as many clocks as a full one. After its last block, a vector is handed over
    ``converted_bits`` and :data:`sme_hw.cycles.COLLECT_LATENCY` clocks later at the earliest. The
    word lines follow ``select`` by :data:`sme_hw.cycles.INPUT_REGISTER_LATENCY` clocks; the
    selection in the clock of a hand-over still refers to the vector before.

    Parameters
    ----------
    hardware : HardwareParams
        Geometry and widths.

    Members
    -------
    i : In(stream.Signature(ConvertedBeat))
        Converted inputs.
    vector : Out(VectorHandshake)
        Hands a complete vector over to computing.
    select : In(BitSelect)
        Bit-cycles and slot to drive.
    grounded : Out(ArrayLayout(group_rows, emulation_lanes))
        Word lines of the slot that are off in each bit-cycle: their input bit is 0.
    vector_masks : Out(ArrayLayout(converted_bits, slots))
        With ``vector.valid``: the bit-cycles in which any row of a slot has a 1; only with
        ``zero_skip``.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        members = {
            "i": In(stream.Signature(ConvertedBeat(hardware))),
            "vector": Out(VectorHandshake(hardware)),
            "select": In(BitSelect(hardware)),
            "grounded": Out(data.ArrayLayout(hardware.group_rows, hardware.emulation_lanes)),
        }
        if hardware.zero_skip:
            members["vector_masks"] = Out(vector_masks(hardware))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Build the counters, the shift registers and the memory of bit planes."""
        m = Module()
        hardware = self.hardware
        blocks = InputBlocks.of(hardware)
        # Where the next beat goes; places are vectors in the memory.
        place = Signal(range(INPUT_BUFFERS))
        step = Signal(index_bits(blocks.beats), name="beat_of_block")
        block = Signal(index_bits(blocks.per_slot))
        slot = Signal(index_bits(hardware.slots))
        mid_vector = Signal()
        padding = Signal()

        # What the stream's ready needs is known a clock ahead, as all before waits for it.
        next_step = Signal.like(step, name="next_beat_of_block")
        next_padding = Signal()
        paused = Signal()
        block_ends = Signal(init=blocks.beats == 1)
        accept = Signal()
        take = Signal()
        fills = Signal()
        last_beat = Signal()
        last_of_slot = Signal()
        pad_ends_vector = Signal()
        slot_is_over = Signal()
        vector_is_over = Signal()
        vector_ends = Signal()
        m.d.comb += [
            last_beat.eq(self.i.payload.last),
            last_of_slot.eq((block == blocks.per_slot - 1) & (step == blocks.beats_of_last - 1)),
            self.i.ready.eq(~padding & ~paused),
            accept.eq(self.i.valid & self.i.ready),
            take.eq(~paused & (padding | self.i.valid)),
            fills.eq(take & block_ends),
            slot_is_over.eq(Mux(padding, 1, last_of_slot | last_beat)),
            vector_is_over.eq(Mux(padding, pad_ends_vector, last_beat)),
            vector_ends.eq(fills & slot_is_over & vector_is_over),
            next_step.eq(step + take),
            next_padding.eq(padding),
        ]
        with m.If(accept):
            # Beats that are missing in a block are made up.
            m.d.comb += next_padding.eq(last_of_slot | last_beat)
            m.d.sync += [mid_vector.eq(~last_beat), pad_ends_vector.eq(last_beat)]
        with m.If(fills):
            m.d.comb += [next_step.eq(0), next_padding.eq(0)]
            m.d.sync += block.eq(block + 1)
            with m.If(slot_is_over):
                m.d.sync += [block.eq(0), slot.eq(slot + 1)]
            with m.If(vector_ends):
                m.d.sync += [slot.eq(0), place.eq(place + 1)]
        next_block_ends = next_step == blocks.beats - 1
        m.d.sync += [
            step.eq(next_step),
            block_ends.eq(next_block_ends),
            padding.eq(next_padding),
            paused.eq(next_block_ends & self._pause(m, fills)),
        ]

        memories: dict[tuple[int, ...], BlockMemory] = {}
        for b, lane in np.ndindex(blocks.per_slot, hardware.emulation_lanes):
            memories[b, lane] = BlockMemory(
                width=blocks.beats * hardware.inputs_per_beat,
                depth=2 ** len(self._address(self.select.bit_block, slot, place)),
            )
            m.submodules[f"planes_{b}_{lane}"] = shared(memories[b, lane], platform)
        planes = self._collect(m, blocks, take, fills)
        written = self._write(m, planes, fills, memories, slot, block, place, vector_ends)

        # Vectors that wait.
        complete = Signal(range(INPUT_BUFFERS + 1))
        hand_over = Signal()
        reading = Signal(range(INPUT_BUFFERS), name="place_read")
        following = Signal(range(INPUT_BUFFERS), name="place_read_next")
        m.d.comb += [
            self.vector.valid.eq(complete != 0),
            hand_over.eq(self.vector.valid & self.vector.ready),
        ]
        m.d.sync += complete.eq(complete + written - hand_over)
        with m.If(hand_over):
            m.d.sync += [reading.eq(following), following.eq(following + 1)]
        self._read(m, memories, reading)
        upcoming = Mux(hand_over, following + 1, following)[: len(following)]
        if hardware.set_bits:
            self._note_sets(m, accept, place, upcoming)
        if hardware.zero_skip:
            self._mask(m, accept & ~mid_vector, accept, slot, vector_ends, place, upcoming)
        return m

    def _pause(self, m: Module, fills: Value) -> Value:
        """Return whether blocks may not fill in the next clock: one still leaves bit by bit."""
        bits = self.hardware.converted_bits
        if InputBlocks.of(self.hardware).beats >= bits:
            return Const(0)
        left = Signal(range(bits), name="pause")
        with m.If(fills):
            m.d.sync += left.eq(bits - 1)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return Mux(fills, bits > 1, left > 1)

    def _collect(self, m: Module, blocks: InputBlocks, take: Value, fills: Value) -> list[Signal]:
        """Shift beats in, bit t after t clocks; returns each bit's block, for one clock each."""
        planes = []
        rows = blocks.beats * self.hardware.inputs_per_beat
        incoming = [Value.cast(value) for value in self.i.payload["values"]]
        turn = fills
        for t in range(self.hardware.converted_bits):
            if t:
                later = Signal(name=f"take_{t}")
                m.d.sync += later.eq(take)
                take = later
            arriving = []
            for lane, value in enumerate(incoming):
                arriving.append(value[0])
                if len(value) == 1:
                    continue
                rest = Signal(len(value) - 1, name=f"late_{t}_{lane}", reset_less=True)
                m.d.sync += rest.eq(value[1:])
                incoming[lane] = rest
            collected = Signal(rows, name=f"collected_{t}", reset_less=True)
            leaving = Signal(rows, name=f"leaving_{t}", reset_less=True)
            full = Signal(name=f"full_{t}")
            m.d.sync += [full.eq(turn), leaving.eq(Mux(full, collected, 0))]
            with m.If(take):
                m.d.sync += collected.eq(Cat(collected, *arriving)[len(arriving) :])
            turn = full
            planes.append(leaving)
        return planes

    def _write(
        self,
        m: Module,
        planes: list[Signal],
        fills: Value,
        memories: dict[tuple[int, ...], BlockMemory],
        *position: Value,
    ) -> Value:
        """Store the planes of a block; returns whether a vector is complete."""
        bits = self.hardware.converted_bits
        filled = Signal()
        active = Signal(name="writing")
        plane = Signal(index_bits(bits), name="plane_written")
        # A block's position has to outlast the fill of the next block.
        for stage, enable in (("filled", fills), ("written", filled)):
            registers = []
            for i, value in enumerate(position):
                names = ("slot", "block", "place", "ends")
                register = Signal(len(value), name=f"{names[i]}_{stage}", reset_less=True)
                with m.If(enable):
                    m.d.sync += register.eq(value)
                registers.append(register)
            position = tuple(registers)
        slot, block, place, ends = position
        last_plane = plane == bits - 1
        m.d.sync += filled.eq(fills)
        with m.If(filled):
            m.d.sync += [active.eq(1), plane.eq(0)]
        with m.Elif(active):
            m.d.sync += [active.eq(~last_plane), plane.eq(plane + 1)]
        lane_bits = self.hardware.lane_bits
        bit_block = plane >> lane_bits
        address = self._address(bit_block[: len(self.select.bit_block)], slot, place)
        leaving = Signal(len(planes[0]), reset_less=True)
        write_address = Signal(len(address), reset_less=True)
        # Cell currents are reset by a grounded word line: this way round it needs no logic.
        m.d.sync += [leaving.eq(~reduce(or_, planes)), write_address.eq(address)]
        for (b, lane), block_memory in memories.items():
            writes = active & (block == b) & (plane[:lane_bits] == lane)
            m.d.sync += block_memory.write_enable.eq(writes)
            m.d.comb += [
                block_memory.write_address.eq(write_address),
                block_memory.write_data.eq(leaving),
            ]
        written = Signal()
        m.d.sync += written.eq(active & last_plane & ends)
        return written

    def _address(self, bit_block: Value, slot: Value, place: Value) -> Value:
        """Return where the planes of a slot are in the memories, one lane in each."""
        slot_bits = (self.hardware.slots - 1).bit_length()
        return Cat(bit_block, slot[:slot_bits], place)

    def _read(self, m: Module, memories: dict[tuple[int, ...], BlockMemory], place: Value) -> None:
        """Fetch the selected planes; all word lines of a bit-cycle that is not wanted are off."""
        lanes = range(self.hardware.emulation_lanes)
        planes: list[list[Value]] = [[] for _ in lanes]
        for (_, lane), block_memory in memories.items():
            m.d.comb += [
                block_memory.read_address.eq(
                    self._address(self.select.bit_block, self.select.slot, place)
                ),
                block_memory.read_enable.eq(1),
                block_memory.output_enable.eq(1),
            ]
            planes[lane].append(block_memory.data)
        wanted = Signal.like(self.select.lanes)
        unwanted = Signal.like(self.select.lanes, init=(1 << len(self.select.lanes)) - 1)
        m.d.sync += [wanted.eq(self.select.lanes), unwanted.eq(~wanted)]
        # Set without logic: see the crossbar's currents.
        grounded = Signal(self.grounded.shape(), reset_less=True, init=[-1] * len(lanes))
        m.d.comb += self.grounded.eq(grounded)
        for lane in lanes:
            m.d.sync += grounded[lane].eq(Mux(unwanted[lane], -1, Cat(planes[lane])))

    def _note_sets(self, m: Module, accept: Value, place: Value, following: Value) -> None:
        """Note the set of every vector; show those of the next two vectors."""
        m.submodules.sets = sets = memory.Memory(
            shape=unsigned(self.hardware.set_bits),
            depth=INPUT_BUFFERS,
            init=[],
            attrs={"no_rw_check": 1},
        )
        write_port = sets.write_port()
        m.d.comb += [
            write_port.en.eq(accept),
            write_port.addr.eq(place),
            write_port.data.eq(self.i.payload.set),
        ]
        for ahead, shown in enumerate((self.vector.set, self.vector.set_behind)):
            read_port = sets.read_port()
            m.d.comb += [
                read_port.addr.eq(following + ahead),
                read_port.en.eq(1),
                shown.eq(read_port.data),
            ]

    def _mask(self, m: Module, starts: Value, accept: Value, slot: Value, *ends: Value) -> None:
        """Note in which bit-cycles the rows of each slot have a 1, one mask a vector."""
        vector_ends, place, following = ends
        layout = vector_masks(self.hardware)
        masks = Signal(layout)
        kept = Signal(layout)
        arriving = reduce(or_, (Value.cast(value) for value in self.i.payload["values"]))
        m.d.comb += kept.eq(Mux(starts, 0, masks))
        with m.If(accept):
            m.d.sync += masks.eq(kept)
            for s in range(self.hardware.slots):
                with m.If(slot == s):
                    m.d.sync += masks[s].eq(kept[s] | arriving)
        m.submodules.masks = mask_memory = memory.Memory(
            shape=layout.size, depth=INPUT_BUFFERS, init=[], attrs={"no_rw_check": 1}
        )
        write_port, read_port = mask_memory.write_port(), mask_memory.read_port()
        m.d.sync += [write_port.en.eq(vector_ends), write_port.addr.eq(place)]
        m.d.comb += [
            write_port.data.eq(masks),
            read_port.addr.eq(following),
            read_port.en.eq(1),
            self.vector_masks.eq(read_port.data),
        ]
