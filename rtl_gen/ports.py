"""Ports of modules, described for machines and people."""

from collections.abc import Mapping
from typing import Any

from amaranth.lib import wiring

__all__ = ["describe_ports"]


def describe_ports(
    component: wiring.Component, meanings: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the ports of a component's Verilog module, clock and reset first.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
    meanings : mapping of str to str
        What each port is for, by its name or, for all ports of a member, by the member's. Without
        an entry for ``rst``, the module has no reset.

    Returns
    -------
    list of dict
        ``name``, ``direction`` (input or output), ``width`` in bits, ``meaning``.
    """
    ports = [
        {"name": name, "direction": "input", "width": 1, "meaning": meanings[name]}
        for name in ("clk", "rst")
        if name in meanings
    ]
    for path, member, value in component.signature.flatten(component):
        name = "__".join(map(str, path))
        ports.append(
            {
                "name": name,
                "direction": "input" if member.flow is wiring.In else "output",
                "width": len(getattr(value, "as_value", lambda value=value: value)()),
                "meaning": meanings[name if name in meanings else str(path[0])],
            }
        )
    return ports
