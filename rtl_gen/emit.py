"""Verilog from Amaranth components, every distinct module once."""

import inspect
import os
import re
from typing import Any

from amaranth import Instance, Signal
from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, ResetSignal
from amaranth.lib import wiring

from sme_hw.params import check_choice
from sme_hw.target import TARGETS

__all__ = ["ModuleLibrary", "emit_verilog", "emit_without", "to_verilog"]

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
    outside : type, optional
        Class of components that are instantiated, but not emitted.
    """

    def __init__(self, prefix: str, target: str, outside: type | None = None):
        check_choice("target", target, list(TARGETS))
        self.prefix = prefix
        self.target = target
        self.modules: dict[str, str] = {}  # RTLIL, by the name of the module
        self.not_emitted: dict[str, Any] = {}
        self._outside = outside
        self._names: dict[tuple[object, ...], str] = {}
        self._clocking: dict[str, list[str]] = {}  # which of clk and rst a module has

    def share(self, component: wiring.Component, reset: Signal | None = None) -> Instance:
        """Return an instance of the module of ``component``, emitting that if it is new.

        With ``reset``, that resets the instance, and nothing else does: so a large design can have
        a register for each of its parts, where the domain's reset would have to reach all of it.
        """
        kind = type(component)
        parameters = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
        key = (kind, *(getattr(component, p) for p in parameters))
        if key not in self._names:
            count = sum(other[0] is kind for other in self._names)
            name = f"{self.prefix}_{_snake(kind.__name__)}" + (f"_{count + 1}" if count else "")
            self._names[key] = name
            if kind is self._outside:
                self.not_emitted[name] = component
                text = ModuleLibrary(name, self.target).convert(component, name)
            else:
                text = self.modules[name] = self.convert(component, name)
            self._clocking[name] = re.findall(_CLOCKING, text, re.MULTILINE)
        name = self._names[key]
        connections: dict[str, object] = {}
        for path, member, value in component.signature.flatten(component):
            direction = "i" if member.flow is wiring.In else "o"
            connections[f"{direction}_{'__'.join(map(str, path))}"] = value
        resets = ResetSignal() if reset is None else reset
        signals = {"clk": ClockSignal(), "rst": resets}
        connections |= {f"i_{port}": signals[port] for port in self._clocking[name]}
        return Instance(name, **connections)

    def convert(self, component: wiring.Component, name: str) -> str:
        """Return a component as RTLIL, without what it shares with others."""
        text = rtlil.convert(component, name=name, platform=self, emit_src=False)
        # Amaranth gives every module with a clock a reset, too.
        if len(re.findall(r"\\rst\b", text)) == 1:
            text = re.sub(r"^ *wire .*\\rst\n", "", text, flags=re.MULTILINE)
        return text


_CLOCKING = r"^ *wire .*input \d+ +\\(clk|rst)$"

_SCRIPT = """\
proc -nomux -norom -noopt
memory_collect
delete s:0
attrmap {attributes}
attrmap -modattr {attributes}
write_verilog -norename"""
"""What `verilog.convert` of Amaranth asks of Yosys, less what linters warn of: an optimiser that
turns ``x == 0`` into ``!x``, and wires of no width (addresses of memories of one word)."""

_ATTRIBUTES = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
"""What Amaranth notes down for itself."""


def to_verilog(modules: str) -> str:
    """Return RTLIL as Verilog.

    Parameters
    ----------
    modules : str
        Text of any number of modules, as Amaranth writes them.
    """
    # Yosys starts slowly: to run it once for all modules takes a tenth of the time.
    script = _SCRIPT.format(attributes=" ".join(f"-remove {name}" for name in _ATTRIBUTES))
    text = find_yosys(lambda version: version >= (0, 40)).run(
        ["-q", "-"],
        f"read_rtlil <<rtlil\n{modules}\nrtlil\n{script}",
        # It warns of processes that cannot be Verilog; Amaranth makes none of these.
        ignore_warnings=True,
    )
    # Yosys starts each combinational block by a variable with an initial value. In SystemVerilog,
    # that value is there before the block waits for it, and a block whose inputs never change
    # would never be evaluated; an initial statement sets it in time in every language version.
    # It keeps linters content about registers, too.
    text = re.sub(
        r"^( *reg (?:\[\d+:0\] )?)(\S+ ?) = ([^;]+);",
        r"\1\2; initial \2 = \3;",
        text,
        flags=re.MULTILINE,
    )
    return _with_defaults(text[text.index("module") :])  # the first line names the Yosys version


def _with_defaults(text: str) -> str:
    """Let every case statement say that it does nothing in all other cases."""
    lines: list[str] = []
    covered: list[bool] = []  # of the case statements around a line: is there a default?
    for line in text.split("\n"):
        word = line.strip()
        if word.startswith("casez "):
            covered.append(False)
        elif word.startswith("default:"):
            covered[-1] = True
        elif word == "endcase" and not covered.pop():
            lines.append(line.replace("endcase", "  default: ;"))
        lines.append(line)
    return "\n".join(lines)


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
    return emit_without(None, component, name, target)[0]


def emit_without(
    outside: type | None,
    component: wiring.Component,
    name: str,
    target: str = TARGETS[0],
    *,
    prefix: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the Verilog of ``component`` without the modules of one class.

    Parameters
    ----------
    outside : type or None
        Class of the components that are left out; what they consist of is, too, unless others need
        it. With None, nothing is left out.
    component, name, target
        As for :func:`emit_verilog`.
    prefix : str, optional
        Of the names of all other modules, if not ``name``.

    Returns
    -------
    str
        Verilog that instantiates modules that it lacks.
    dict of str to components of class ``outside``
        These modules, by name. Emitted with :func:`emit_verilog` under that name, each has the
        ports that the Verilog connects.
    """
    library = ModuleLibrary(prefix or name, target, outside)
    top = library.convert(component, name)
    return to_verilog("\n".join([top, *library.modules.values()])), library.not_emitted
