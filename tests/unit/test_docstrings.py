# amaranth: UnusedElaboratable=no
# Components are only looked at here.
"""Docstrings exist, and those of hardware name the ports and fields that there are."""

import ast
import fnmatch
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from amaranth.lib import data, wiring

import sme_hw
from sme_hw.adc import Adc
from sme_hw.array_macro import ArrayMacro
from sme_hw.array_program import Route
from sme_hw.block_memory import BlockMemory
from sme_hw.broadcast import Addressed, Broadcast
from sme_hw.bus.axi_lite import AxiLite, AxiLiteSignature
from sme_hw.bus.axi_unit import AxiUnit
from sme_hw.bus.beats import InputBytes, ResultBytes
from sme_hw.bus.bus_unit import BusUnit
from sme_hw.bus.frame_receiver import FrameReceiver
from sme_hw.bus.frame_sender import FrameSender
from sme_hw.bus.link_bridge import LinkBridge
from sme_hw.bus.link_params import LinkParams
from sme_hw.bus.register_access import RegisterAccess
from sme_hw.bus.register_bus import RegisterBus
from sme_hw.bus.register_file import RegisterFile
from sme_hw.bus.registers import register_map
from sme_hw.bus.request_check import KindFlags, RequestCheck
from sme_hw.bus.request_executor import RequestExecutor
from sme_hw.bus.slip_decoder import SlipDecoder
from sme_hw.bus.slip_encoder import FrameByte, SlipEncoder
from sme_hw.bus.stream_feeder import StreamFeeder
from sme_hw.bus.uart_bridge import UartBridge
from sme_hw.bus.uart_receiver import UartReceiver
from sme_hw.bus.uart_transmitter import UartTransmitter
from sme_hw.bus.uart_unit import UartUnit
from sme_hw.clip_counters import ClipCounters
from sme_hw.crossbar import CellWrite, Crossbar, CrossbarBank
from sme_hw.input_register import VectorHandshake
from sme_hw.input_router import InputRouter, RouteWrite
from sme_hw.program_check import ProgramCheck
from sme_hw.program_port import EntryWrite
from sme_hw.program_router import ProgramRouter
from sme_hw.result_join import ArrayResultBeat, ResultJoin
from sme_hw.result_router import ResultRouter
from sme_hw.route_check import RouteCheck
from sme_hw.skid_buffer import SkidBuffer
from sme_hw.tile_array import TileArray
from tests.cases.hardware import HARDWARE

ROOT = Path(__file__).parents[2]

HARDWARE_PARAMS = replace(
    HARDWARE["mlc-free-shifts"], input_index=True, zero_skip=True, weight_sets=2
)
"""Parameters with which every optional port is there."""

ARRAY_PARTS = (
    *(ArrayResultBeat, InputRouter, ProgramRouter, ResultJoin, ResultRouter),
    *(Route, RouteCheck, RouteWrite, TileArray),
)
"""Those of a tile array, which need its number of units, too."""
LINK = LinkParams(input_beat_bytes=1, dest_bits=1, result_beat_bytes=1, address_bits=8)

INSTANCES: dict[type, Callable[[], Any]] = {
    AxiLite: lambda: AxiLite(address_bits=5),
    AxiLiteSignature: lambda: AxiLiteSignature(7),
    RegisterFile: lambda: RegisterFile(registers=register_map(HARDWARE_PARAMS, 1)),
    Adc: lambda: Adc(sum_max=7, bits=2, lsb=0),
    Addressed: lambda: Addressed(width=5, units=3),
    ArrayMacro: lambda: ArrayMacro(hardware=HARDWARE_PARAMS, adc_bits=2),
    AxiUnit: lambda: AxiUnit(hardware=HARDWARE_PARAMS, units=2),
    BlockMemory: lambda: BlockMemory(width=5, depth=3),
    Broadcast: lambda: Broadcast(width=5, units=3),
    BusUnit: lambda: BusUnit(hardware=HARDWARE_PARAMS, units=2),
    CellWrite: lambda: CellWrite(rows=5, cell_bits=1, adcs=2),
    ClipCounters: lambda: ClipCounters(planes=2, flags=2, width=3),
    Crossbar: lambda: Crossbar(rows=5, cell_bits=1, depth=3, adcs=2, lanes=2),
    CrossbarBank: lambda: CrossbarBank(rows=5, cell_bits=1, depth=3, lanes=2),
    EntryWrite: lambda: EntryWrite(hardware=HARDWARE_PARAMS, width=32),
    FrameByte: FrameByte,
    FrameReceiver: lambda: FrameReceiver(frame_bytes=32),
    FrameSender: lambda: FrameSender(frame_bytes=32),
    InputBytes: lambda: InputBytes(beat_bytes=2, dest_bits=1),
    KindFlags: KindFlags,
    LinkBridge: lambda: LinkBridge(link=LINK),
    ProgramCheck: lambda: ProgramCheck(hardware=HARDWARE_PARAMS, data_bits=32),
    SkidBuffer: lambda: SkidBuffer(width=5),
    RegisterAccess: lambda: RegisterAccess(link=LINK),
    RegisterBus: lambda: RegisterBus(address_bits=8),
    RequestCheck: lambda: RequestCheck(link=LINK),
    RequestExecutor: lambda: RequestExecutor(link=LINK),
    ResultBytes: lambda: ResultBytes(beat_bytes=2),
    SlipDecoder: SlipDecoder,
    SlipEncoder: SlipEncoder,
    StreamFeeder: lambda: StreamFeeder(link=LINK),
    UartBridge: lambda: UartBridge(divisor=4, link=LINK),
    UartReceiver: lambda: UartReceiver(divisor=4),
    UartTransmitter: lambda: UartTransmitter(divisor=4),
    UartUnit: lambda: UartUnit(hardware=HARDWARE_PARAMS, units=2, divisor=4, frame_bytes=64),
    VectorHandshake: lambda: VectorHandshake(HARDWARE_PARAMS),
}
INSTANCES |= {
    kind: lambda kind=kind: kind(hardware=HARDWARE_PARAMS, units=3) for kind in ARRAY_PARTS
}
"""How to make those that need something else than ``hardware``."""


def _hardware_classes() -> Iterator[type]:
    kinds = (wiring.Component, wiring.Signature, data.StructLayout)
    for info in pkgutil.walk_packages(sme_hw.__path__, "sme_hw."):
        for _, value in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            # Imported classes are found where they come from.
            if issubclass(value, kinds) and value.__module__ == info.name:
                yield value


CLASSES = sorted(_hardware_classes(), key=lambda kind: kind.__name__)
COMPONENTS = [kind for kind in CLASSES if issubclass(kind, wiring.Component)]


def _instance(kind: type) -> Any:
    return INSTANCES[kind]() if kind in INSTANCES else kind(hardware=HARDWARE_PARAMS)


def _section(kind: type, title: str) -> list[tuple[str, str]]:
    """Return names and types in a section of a class's numpydoc docstring."""
    lines = (inspect.getdoc(kind) or "").splitlines()
    assert title in lines, f"{kind.__name__} has no section {title}"
    start = lines.index(title)
    assert lines[start + 1] == "-" * len(title)
    entries = []
    for line, following in zip(lines[start + 2 :], [*lines[start + 3 :], ""], strict=True):
        if re.fullmatch("-{3,}", following):
            break
        if line and not line.startswith(" "):
            names, _, text = line.partition(" : ")
            entries += [(name.strip(), text) for name in names.split(",")]
    return entries


@pytest.mark.parametrize("kind", CLASSES)
def test_members_are_documented(kind: type) -> None:
    """Members or Fields lists exactly those that there are, with their directions."""
    instance = _instance(kind)
    if issubclass(kind, data.StructLayout):
        # The order of fields is that of their bits.
        assert [name for name, _ in _section(kind, "Fields")] == list(instance.members)
        return
    documented = _section(kind, "Members")
    members = getattr(instance, "signature", instance).members
    # Ports that a description is the source of stand there as a pattern.
    patterns = [fnmatch.translate(name.strip("`")) for name, _ in documented if "*" in name]
    single = [(name, text) for name, text in documented if "*" not in name]
    others = [name for name in members if not any(re.match(p, name) for p in patterns)]
    assert sorted(name for name, _ in single) == sorted(others)
    for name, text in single:
        assert text.startswith(f"{members[name].flow.name}("), f"{name} : {text}"


@pytest.mark.parametrize("kind", COMPONENTS)
def test_parameters_are_documented(kind: type) -> None:
    """Parameters lists those of the constructor; they are keyword-only, and kept as attributes."""
    parameters = list(inspect.signature(kind).parameters.values())
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters)
    names = [p.name for p in parameters]
    if not names:
        return
    assert [name for name, _ in _section(kind, "Parameters")] == names
    instance = _instance(kind)
    assert all(hasattr(instance, name) for name in names)


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield public classes and functions, methods included."""
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("_"):
            yield f"{prefix}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}.{node.name}")


@pytest.mark.parametrize("package", ["sme_hw", "rtl_gen", "sim", "sme_host"])
def test_everything_public_is_documented(package: str) -> None:
    """Modules, public classes, functions and methods have docstrings."""
    missing = []
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        # Read, not imported: a testbench runs inside a simulator only.
        module = ast.parse(path.read_text(encoding="utf-8"))
        name = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        found = [(name, module), *_public(module.body, name)]
        missing += [text for text, node in found if not ast.get_docstring(node)]
    assert not missing
