"""The array macro as a black box: stub, behavioural model, and a description for its designer."""

from collections.abc import Mapping
from typing import Any

from sme_hw import cycles
from sme_hw.array_macro import ArrayMacro
from sme_hw.errors import ParameterError
from sme_hw.params import HardwareParams

from .emit import emit_verilog
from .ports import describe_ports

__all__ = ["MACROS", "MODEL", "STUB", "TEXT", "check_macro", "macro_files", "macro_manifest"]

MACROS = ("behavioural", "blackbox")
"""``behavioural``: the design has a body for its array macros; ``blackbox``: it has none."""

STUB, MODEL, TEXT = "design_macro_stub.v", "design_macro_model.v", "design_macro.md"

_PORTS = {
    "clk": "clock; inputs are taken, and outputs change, at its rising edge",
    "write__enable": "program the cells that `slot`, `column_step` (and `set`) and `write__adc` "
    "point to; no conversion counts that starts in this clock",
    "write__adc": "bank of columns to program: that of ADC `write__adc`",
    "write__data": "levels of the cells of one column: bit b of row r at b x rows + r",
    "slot": "group of rows that the word lines belong to",
    "column_step": "position of the column multiplexers: ADC a converts column "
    "`column_step` x ADCs + a",
    "set": "weight set whose cells take part",
    "grounded": "rows whose word line is off: their input bit is 0; from the lowest bits, for each "
    "emulation lane",
    "codes": "ADC codes, from the lowest bits: for each ADC, for each emulation lane",
    "clips": "conversions that clipped, in the order of `codes`",
}


def check_macro(macro: str, hardware: HardwareParams) -> None:
    """Raise :class:`ParameterError` if a design cannot have its macros as black boxes."""
    if macro == "blackbox" and hardware.merged:
        raise ParameterError(
            "macro",
            macro,
            'with adc_bits = "lossless", all planes and signs are merged and there is no macro: '
            f"give adc_bits as a number ({hardware.lossless_bits} bits cannot clip)",
        )


def macro_manifest(macros: Mapping[str, ArrayMacro]) -> dict[str, Any]:
    """Describe macros for machines: the entry ``macro`` of ``design.json``.

    Parameters
    ----------
    macros : mapping of str to ArrayMacro
        Macros of a design by their modules' names, of which there is at least one.
    """
    hardware = next(iter(macros.values())).hardware
    return {
        "stub": STUB,
        "model": MODEL,
        "text": TEXT,
        "latency": cycles.macro_latency(hardware),
        "modules": [
            {
                "name": name,
                "instances": 2 * hardware.plane_adc_bits.count(macro.adc_bits),
                "adc_bits": macro.adc_bits,
                "ports": describe_ports(macro, _PORTS),
            }
            for name, macro in macros.items()
        ],
    }


def macro_files(macros: Mapping[str, ArrayMacro]) -> dict[str, str]:
    """Return what stands in for the macros of a design: texts by the names of their files.

    The stub is for synthesis, the model for simulation; the model is portable Verilog whatever the
    design is emitted for.

    Parameters
    ----------
    macros : mapping of str to ArrayMacro
        As for :func:`macro_manifest`.
    """
    manifest = macro_manifest(macros)
    return {
        STUB: "\n".join(_stub(module["name"], module["ports"]) for module in manifest["modules"]),
        MODEL: "\n".join(emit_verilog(macro, name) for name, macro in macros.items()),
        TEXT: _text(manifest, next(iter(macros.values())).hardware),
    }


def _stub(name: str, ports: list[dict[str, Any]]) -> str:
    lines = [
        f"  {port['direction']} wire "
        + (f"[{port['width'] - 1}:0] " if port["width"] > 1 else "")
        + port["name"]
        for port in ports
    ]
    return f"(* blackbox *)\nmodule {name} (\n" + ",\n".join(lines) + "\n);\nendmodule\n"


def _text(manifest: dict[str, Any], hardware: HardwareParams) -> str:
    """Return the description of the macros: ports, meaning, timing."""
    latency = manifest["latency"]
    when = {"clk": "", "codes": str(latency), "clips": str(latency)}
    lines = [
        "# The array macro of this design",
        "",
        f"Crossbar, sample-and-hold, column multiplexers and ADCs of one plane and sign. `{STUB}` "
        f"has the ports alone, for synthesis; `{MODEL}` behaves as described here, for simulation. "
        "Give one of them, or a macro of your own, to the tool together with `design.v`.",
        "",
        "| module | instances | ADC bits |",
        "|---|---|---|",
        *(f"| `{m['name']}` | {m['instances']} | {m['adc_bits']} |" for m in manifest["modules"]),
        "",
        f"A macro has {hardware.slots} x {hardware.group_rows} rows (groups x rows of a group), "
        f"{hardware.cols} columns of cells with {hardware.cell_bits} bit(s), "
        f"{hardware.adcs_per_crossbar} ADC(s)"
        + (f", {hardware.weight_sets} sets of cells" if hardware.set_bits else "")
        + (
            f", and computes {hardware.emulation_lanes} bit-cycles at once"
            if hardware.lane_bits
            else ""
        )
        + ".",
        "",
        "## Ports",
        "",
        "*Clock* is the one, counted from that in which a conversion's inputs are there, in which "
        "a port belongs to it.",
        "",
        "| port | direction | bits | clock | meaning |",
        "|---|---|---|---|---|",
    ]
    modules = manifest["modules"]
    for i, port in enumerate(modules[0]["ports"]):
        widths = sorted({module["ports"][i]["width"] for module in modules})
        bits = " or ".join(map(str, widths))
        clock = when.get(port["name"], "0")
        meaning = port["meaning"]
        lines.append(f"| `{port['name']}` | {port['direction']} | {bits} | {clock} | {meaning} |")
    sum_text = "sum" if hardware.adc_lsb == 0 else f"(sum >> {hardware.adc_lsb})"
    lines += [
        "",
        f"sum = levels of the cells of a column, in the rows of the slot that are not grounded, "
        f"added up. code = min({sum_text}, 2^b - 1) with b ADC bits; it clips when {sum_text} is "
        "larger.",
        "",
        "## Timing",
        "",
        f"- A conversion may start in every clock, and none can be stopped. Its codes are there "
        f"exactly {latency} clocks after its inputs: {latency - cycles.ADC_LATENCY} up to the "
        f"sampled sum, {cycles.ADC_LATENCY} for the ADC. A macro that is faster delays its codes.",
        f"- Word lines and slot stay for one bit-cycle of the group: ceil(columns in use / "
        f"{hardware.adcs_per_crossbar}) clocks, {hardware.column_steps} if all columns are in use, "
        "while the column step counts up from 0; in clocks without conversion they may be "
        "anything. So an array may sample all columns at the end of the first of these clocks, and "
        "convert them one after the other.",
        "- There is no valid: codes of clocks without a conversion are ignored. So are codes of "
        "clocks in which cells are written; programming and computing never overlap.",
        "- A cell that was written in one clock takes part in a conversion that starts in the "
        "next.",
        "- Cells need no reset; a program writes every cell that a vector uses. There is no reset "
        "port.",
        "",
        "A macro whose word lines need several clocks to settle, or whose ADC needs several clocks "
        "for a conversion without a pipeline, runs at a clock that is slower by that factor.",
        "",
    ]
    return "\n".join(lines)
