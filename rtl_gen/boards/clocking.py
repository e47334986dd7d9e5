"""Phase-locked loops of the families as Amaranth modules."""

from amaranth import Const, Instance, Module, Signal
from amaranth.lib import io

from .pll import PllSettings

__all__ = ["add_clock"]

_MHZ = 1_000_000


def add_clock(
    m: Module, pad: io.PortLike, settings: PllSettings | None, family: str
) -> tuple[Signal, Signal]:
    """Lead a clock from its pin through a loop.

    Parameters
    ----------
    m : Module
        Gets the buffers and the loop.
    pad : io.PortLike
        Pin with the input clock.
    settings : PllSettings or None
        None for the input clock as it is.
    family : str
        Name of the FPGA family.

    Returns
    -------
    clock : Signal
    locked : Signal
        1 while the clock can be relied on.
    """
    clock = Signal()
    locked = Signal()
    if settings is None:
        m.submodules.clock_buffer = buffer = io.Buffer("i", pad)
        m.d.comb += [clock.eq(buffer.i), locked.eq(1)]
    else:
        _LOOPS[family](m, pad, settings, clock, locked)
    return clock, locked


def _ice40(
    m: Module, pad: io.PortLike, settings: PllSettings, clock: Signal, locked: Signal
) -> None:
    """Instantiate SB_PLL40_PAD: its input has no buffer of its own beside the loop's."""
    m.submodules.pll = Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_PLLOUT_SELECT="GENCLK",
        p_DIVR=Const(settings.reference_divide - 1, 4),
        p_DIVF=Const(settings.multiply - 1, 7),
        p_DIVQ=Const(settings.output_divide.bit_length() - 1, 3),
        p_FILTER_RANGE=Const(_filter_range(settings), 3),
        i_PACKAGEPIN=pad.io,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=locked,
    )


def _filter_range(settings: PllSettings) -> int:
    """Return the loop filter for a frequency of the phase detector (icepll of Project IceStorm)."""
    return 1 + sum(settings.phase_hz >= limit * _MHZ for limit in (17, 26, 44, 66, 101))


def _ecp5(
    m: Module, pad: io.PortLike, settings: PllSettings, clock: Signal, locked: Signal
) -> None:
    """Instantiate EHXPLLL: output CLKOP is fed back, at the phase detector's frequency."""
    m.submodules.clock_buffer = buffer = io.Buffer("i", pad)
    feedback = Signal()
    m.submodules.pll = Instance(
        "EHXPLLL",
        p_CLKI_DIV=settings.reference_divide,
        p_CLKFB_DIV=1,
        p_FEEDBK_PATH="CLKOP",
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=settings.multiply,
        # Edges of both outputs together: a divider's phase is counted from its last clock.
        p_CLKOP_CPHASE=settings.multiply - 1,
        p_CLKOP_FPHASE=0,
        p_CLKOS_ENABLE="ENABLED",
        p_CLKOS_DIV=settings.output_divide,
        p_CLKOS_CPHASE=settings.output_divide - 1,
        p_CLKOS_FPHASE=0,
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        # Analogue settings that Lattice's tools write for every loop (Project Trellis).
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        i_CLKI=buffer.i,
        i_CLKFB=feedback,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(0),
        i_PHASESTEP=Const(0),
        i_PHASELOADREG=Const(0),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        i_ENCLKOS=Const(0),
        o_CLKOP=feedback,
        o_CLKOS=clock,
        o_LOCK=locked,
    )


def _xilinx7(
    m: Module, pad: io.PortLike, settings: PllSettings, clock: Signal, locked: Signal
) -> None:
    """Instantiate PLLE2_BASE with the clock buffer behind it."""
    m.submodules.clock_buffer = buffer = io.Buffer("i", pad)
    feedback = Signal()
    output = Signal()
    m.submodules.pll = Instance(
        "PLLE2_BASE",
        p_CLKIN1_PERIOD=1e9 / settings.input_hz,
        p_DIVCLK_DIVIDE=settings.reference_divide,
        p_CLKFBOUT_MULT=settings.multiply,
        p_CLKOUT0_DIVIDE=settings.output_divide,
        i_CLKIN1=buffer.i,
        i_CLKFBIN=feedback,
        i_RST=Const(0),
        i_PWRDWN=Const(0),
        o_CLKFBOUT=feedback,
        o_CLKOUT0=output,
        o_LOCKED=locked,
    )
    m.submodules.clock_net = Instance("BUFG", i_I=output, o_O=clock)


_LOOPS = {"ice40": _ice40, "ecp5": _ecp5, "xilinx7": _xilinx7}
