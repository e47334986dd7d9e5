"""Verilog from Amaranth components, every distinct module once."""

import inspect
import os
import re

from amaranth import Instance, Signal
from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockSignal, ResetSignal
from amaranth.lib import wiring

from sme_hw.params import check_choice
from sme_hw.target import TARGETS

__all__ = ["ModuleLibrary", "emit_verilog"]

# Amaranth would take whatever Yosys is on the machine, and write other Verilog with it.
os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class ModuleLibrary:
    """An Amaranth platform that emits equal components once and instantiates them by name.

    Two components are equal when they are of one class and were given the same parameters, which
    by convention are attributes of the same names. A module is called after its class; a second
    one of that class, with other parameters, gets a number.

    Parameters
    ----------
    prefix : str
        Put before the names of all modules.
    target : str
        What components see as ``platform.target`` (:mod:`sme_hw.target`).
    """

    def __init__(self, prefix: str, target: str):
        check_choice("target", target, list(TARGETS))
        self.prefix = prefix
        self.target = target
        self.modules: dict[str, str] = {}  # RTLIL, by the name of the module
        self._names: dict[tuple[object, ...], str] = {}

    def share(self, component: wiring.Component, reset: Signal | None = None) -> Instance:
        """Return an instance of the module of ``component``, emitting that if it is new.

        With ``reset``, the instance is also reset while that is 1.
        """
        kind = type(component)
        parameters = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
        key = (kind, *(getattr(component, p) for p in parameters))
        if key not in self._names:
            count = sum(other[0] is kind for other in self._names)
            name = f"{self.prefix}_{_snake(kind.__name__)}" + (f"_{count + 1}" if count else "")
            self._names[key] = name
            self.modules[name] = self.convert(component, name)
        name = self._names[key]
        connections: dict[str, object] = {}
        for path, member, value in component.signature.flatten(component):
            direction = "i" if member.flow is wiring.In else "o"
            connections[f"{direction}_{'__'.join(map(str, path))}"] = value
        # Modules without reset have no such port.
        resets = ResetSignal() if reset is None else ResetSignal() | reset
        for port, signal in (("clk", ClockSignal()), ("rst", resets)):
            if re.search(rf"^ *wire .*input \d+ +\\{port}$", self.modules[name], re.MULTILINE):
                connections[f"i_{port}"] = signal
        return Instance(name, **connections)

    def convert(self, component: wiring.Component, name: str) -> str:
        """Return a component as RTLIL, without what it shares with others."""
        return rtlil.convert(component, name=name, platform=self, emit_src=False)


def _to_verilog(modules: str) -> str:
    """Return RTLIL as Verilog."""
    # What `verilog.convert` calls for a single design. Yosys starts slowly: to run it once for all
    # modules takes a tenth of the time.
    text = verilog._convert_rtlil_text(modules, strip_internal_attrs=True)
    # Yosys starts each combinational block by a variable with an initial value. In SystemVerilog,
    # that value is there before the block waits for it, and a block whose inputs never change
    # would never be evaluated; an initial statement sets it in time in every language version.
    text = re.sub(r"reg (\\\$auto\$verilog_backend\S+ ) = 0;", r"reg \1; initial \1 = 0;", text)
    # The first line names the Yosys version; it is in the manifest.
    return text[text.index("module") :]


def emit_verilog(component: wiring.Component, name: str, target: str = TARGETS[0]) -> str:
    """Return the Verilog of ``component`` as module ``name``, with all it consists of.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        Design to emit; its ports become those of the top module, ``a.b`` as ``a__b``.
    name : str
        Name of the top module and prefix of all others.
    target : str
        ``"portable"``, or ``"ecp5"`` for the same with primitives of that FPGA family.
    """
    library = ModuleLibrary(name, target)
    top = library.convert(component, name)
    return _to_verilog("\n".join([top, *library.modules.values()]))
