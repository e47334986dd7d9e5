"""A few pins for a component with many ports, so that it can be placed on any package."""

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sme_hw.sharing import shared

__all__ = ["SerialPins"]


class SerialPins(wiring.Component):
    """Shift all inputs of a component in, and all its outputs out, bit by bit.

    Every input is a register that any value can be shifted to, and every output ends in a register
    that is shifted out, so a synthesis can drop nothing. This takes a flip-flop for each port bit
    and a LUT for each output bit.

    Parameters
    ----------
    component : wiring.Component
        What to wrap; its submodule name is ``unit``.

    Members
    -------
    i : In(1)
        Next bit of the inputs; after as many clocks as there are bits, the first one is the lowest.
    load : In(1)
        Take the outputs; they leave from the next clock on.
    o : Out(1)
        Next bit of the outputs, from the lowest.
    """

    def __init__(self, *, component: wiring.Component):
        self.component = component
        super().__init__({"i": In(1), "load": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Put both shift registers around the component."""
        m = Module()
        m.submodules.unit = shared(self.component, platform)
        ports = [
            (member.flow, Value.cast(value))
            for _, member, value in self.component.signature.flatten(self.component)
        ]
        inputs = Cat(value for flow, value in ports if flow is In)
        outputs = Cat(value for flow, value in ports if flow is Out)
        shift_in = Signal(len(inputs), reset_less=True)
        shift_out = Signal(len(outputs), reset_less=True)
        m.d.comb += [inputs.eq(shift_in), self.o.eq(shift_out[0])]
        m.d.sync += [shift_in.eq(Cat(shift_in[1:], self.i)), shift_out.eq(shift_out[1:])]
        with m.If(self.load):
            m.d.sync += shift_out.eq(outputs)
        return m
