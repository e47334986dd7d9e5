# amaranth: UnusedElaboratable=no
# Equal memories are emitted once (see sharing.py), so most of them are never elaborated.
"""The input gather: brings inputs into the order of the physical rows."""

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_memory import BlockMemory
from .cycles import INPUT_BUFFERS
from .params import HardwareParams, index_bits
from .program import index_fields
from .row_conversion import InputBeat, input_payload, inputs_of
from .sharing import shared
from .weight_sets import delayed_set, of_set, per_set, set_address, set_of

__all__ = ["IndexEntry", "InputGather"]


class IndexEntry(data.StructLayout):
    """A physical row's entry of the input index.

    Fields
    ------
    beat : range(input_beats)
    lane : range(inputs_per_beat)
        Where the row's input is in the input stream; no lane if a beat holds one input.
    keep : 1
        Some input does; else the row gets 0.
    """

    def __init__(self, hardware: HardwareParams):
        fields = index_fields(hardware).items()
        super().__init__({name: unsigned(bits) for name, bits in fields})


class InputGather(wiring.Component):
    """Store a vector in row order and read it in the order of the physical rows.

    With row conversion this is the squeeze-out index decode of the design (reconstructed). The
    input index is a memory with one word per beat of physical rows and weight set; each lane of a
    beat has a copy of the vectors to read its input from.

    One beat a clock on either side. A vector's first beat in the new order is on offer
    :data:`sme_hw.cycles.GATHER_LATENCY` clocks after the vector's last beat came. At most
    :data:`sme_hw.cycles.INPUT_BUFFERS` vectors may be in the compute unit.

    Parameters
    ----------
    hardware : HardwareParams
        Widths and sizes.

    Members
    -------
    write : In(Signature(enable, address, data))
        Loads a word of the input index; only while no vector is under way.
    last_beat : In(range(input_beats)), one per set
        Index of a vector's last beat in row order.
    last_row_beat : In(range(row_beats)), one per set
        Index of its last beat in the order of physical rows.
    i : In(stream.Signature(input_payload))
        Inputs in row order; always ready.
    o : Out(stream.Signature(input_payload))
        Inputs in the order of physical rows.
    mid_vector : Out(1)
        Some but not all beats of a vector were accepted.
    """

    def __init__(self, *, hardware: HardwareParams):
        self.hardware = hardware
        self.entries = data.ArrayLayout(IndexEntry(hardware), hardware.inputs_per_beat)
        super().__init__(
            {
                "write": In(
                    wiring.Signature(
                        {
                            "enable": Out(1),
                            "address": Out(index_bits(hardware.in_sets(hardware.row_beats))),
                            "data": Out(self.entries),
                        }
                    )
                ),
                "last_beat": In(per_set(hardware, index_bits(hardware.input_beats))),
                "last_row_beat": In(per_set(hardware, index_bits(hardware.row_beats))),
                "i": In(stream.Signature(input_payload(hardware))),
                "o": Out(stream.Signature(input_payload(hardware))),
                "mid_vector": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the memories and the pipeline that reads them."""
        m = Module()
        hardware = self.hardware

        # Storing: place after place.
        place = Signal(range(INPUT_BUFFERS))
        beat = Signal(index_bits(hardware.input_beats))
        stored = Signal()
        m.d.comb += [
            self.i.ready.eq(1),
            stored.eq(self.i.valid & (beat == of_set(self.last_beat, set_of(self.i.payload)))),
        ]
        with m.If(self.i.valid):
            m.d.sync += [beat.eq(beat + 1), self.mid_vector.eq(~stored)]
        with m.If(stored):
            m.d.sync += [beat.eq(0), place.eq(place + 1)]

        # Reading: index, its output register, inputs, their output register, choice of the lane.
        waiting = Signal(range(INPUT_BUFFERS + 1))
        row_beat = Signal(index_bits(hardware.row_beats))
        source_place = Signal.like(place)
        valid: list[Value] = [waiting != 0, *(Signal(name=f"valid_{s}") for s in range(1, 5))]
        valid.append(self.o.valid)
        moves = [Signal(name=f"moves_{stage}") for stage in range(6)]
        m.d.comb += moves[5].eq(self.o.ready)
        for stage in reversed(range(5)):
            m.d.comb += moves[stage].eq(~valid[stage + 1] | moves[stage + 1])
            with m.If(moves[stage]):
                m.d.sync += valid[stage + 1].eq(valid[stage])
        ends = Signal()
        weight_set = self._set_of_source(m, place, (source_place + ends)[: len(place)])
        last_row_beat = of_set(self.last_row_beat, weight_set)
        m.d.comb += ends.eq(valid[0] & moves[0] & (row_beat == last_row_beat))
        with m.If(valid[0] & moves[0]):
            m.d.sync += row_beat.eq(Mux(ends, 0, row_beat + 1))
        m.d.sync += [waiting.eq(waiting + stored - ends), source_place.eq(source_place + ends)]
        places = [source_place]
        for stage in (1, 2):
            places.append(Signal.like(place, name=f"place_{stage}", reset_less=True))
            with m.If(moves[stage - 1]):
                m.d.sync += places[stage].eq(places[stage - 1])

        index = BlockMemory(width=self.entries.size, depth=hardware.in_sets(hardware.row_beats))
        m.submodules.index = shared(index, platform)
        entries = data.View(self.entries, index.data)
        m.d.comb += [
            index.write_enable.eq(self.write.enable),
            index.write_address.eq(self.write.address),
            index.write_data.eq(self.write.data),
            index.read_address.eq(set_address(row_beat, hardware.row_beats, weight_set)),
            index.read_enable.eq(moves[0]),
            index.output_enable.eq(moves[1]),
        ]
        # Lane and keep wait for the inputs.
        late = [entries]
        for stage in (3, 4):
            late.append(Signal(self.entries, name=f"entries_{stage}", reset_less=True))
            with m.If(moves[stage - 1]):
                m.d.sync += late[-1].eq(late[-2])
        for lane in range(hardware.inputs_per_beat):
            vectors = BlockMemory(width=InputBeat(hardware).size, depth=INPUT_BUFFERS << len(beat))
            m.submodules[f"vectors_{lane}"] = shared(vectors, platform)
            fetched = data.View(InputBeat(hardware), vectors.data)
            m.d.comb += [
                vectors.write_enable.eq(self.i.valid),
                vectors.write_address.eq(Cat(beat, place)),
                vectors.write_data.eq(inputs_of(self.i.payload)),
                vectors.read_address.eq(Cat(entries[lane].beat, places[2])),
                vectors.read_enable.eq(moves[2]),
                vectors.output_enable.eq(moves[3]),
            ]
            with m.If(moves[4]):
                entry = late[-1][lane]
                value = fetched[entry.lane] if hardware.inputs_per_beat > 1 else fetched[0]
                m.d.sync += inputs_of(self.o.payload)[lane].eq(Mux(entry.keep, value, 0))
        for stage in range(1, 5):
            weight_set = delayed_set(m, weight_set, f"set_{stage}", moves[stage - 1])
        if len(weight_set):
            with m.If(moves[4]):
                m.d.sync += self.o.payload.set.eq(weight_set)
        return m

    def _set_of_source(self, m: Module, place: Value, next_source: Value) -> Value:
        """Note the set of every vector; returns that of the vector to be read next."""
        if not self.hardware.set_bits:
            return set_of(self.i.payload)
        m.submodules.sets = sets = memory.Memory(
            shape=unsigned(self.hardware.set_bits), depth=INPUT_BUFFERS, init=[]
        )
        write_port = sets.write_port()
        # A vector of one beat is read in the clock after it came.
        read_port = sets.read_port(transparent_for=(write_port,))
        m.d.comb += [
            write_port.en.eq(self.i.valid),
            write_port.addr.eq(place),
            write_port.data.eq(self.i.payload.set),
            read_port.addr.eq(next_source),
            read_port.en.eq(1),
        ]
        return read_port.data
