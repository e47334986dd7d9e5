"""The memories of a design, from its description and without a synthesis."""

import inspect
from collections import Counter
from typing import NamedTuple

from amaranth import Module, Shape, Signal
from amaranth.hdl import Fragment
from amaranth.lib import memory, wiring

__all__ = ["MemoryShape", "memories"]


class MemoryShape(NamedTuple):
    """A memory.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Number of words.
    block : bool
        It is to be block RAM, whatever a synthesis finds better.
    reads : int
        Ports it is read by; each may take a copy of it.
    """

    width: int
    depth: int
    block: bool
    reads: int


class _Collector:
    """An Amaranth platform that notes memories, and elaborates equal components once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Counter[MemoryShape]] = {}
        self.found: Counter[MemoryShape] = Counter()

    def share(self, component: wiring.Component, reset: Signal | None = None) -> Module:
        """Count the memories of a component; nothing of it is built."""
        kind = type(component)
        parameters = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
        key = (kind, *(getattr(component, p) for p in parameters))
        if key not in self._known:
            outside, self.found = self.found, Counter()
            Fragment.get(component, self)
            self._known[key], self.found = self.found, outside
        self.found.update(self._known[key])
        return Module()

    def get_memory(self, found: memory.Memory) -> Module:
        """Note a memory; nothing of it is built."""
        block = found.attrs.get("ram_style") == "block"
        shape = MemoryShape(
            Shape.cast(found.shape).width, found.depth, block, len(found.read_ports)
        )
        self.found[shape] += 1
        return Module()


def memories(component: wiring.Component) -> Counter[MemoryShape]:
    """Return how many memories of each shape a design has.

    Parameters
    ----------
    component : wiring.Component
        Not elaborated yet.
    """
    collector = _Collector()
    Fragment.get(component, collector)
    return collector.found
