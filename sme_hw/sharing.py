"""Lets equal modules be emitted once, with the ports that their signatures document."""

from amaranth import Elaboratable
from amaranth.lib import wiring

__all__ = ["shared"]


def shared(component: wiring.Component, platform: object) -> Elaboratable:
    """Return what to add as a submodule for ``component``.

    A platform with a ``share`` method (:class:`rtl_gen.emit.ModuleLibrary`) may answer with an
    instance of a module that it emits apart; elsewhere, in simulation for example, the component
    itself is used. Without this, Amaranth emits every instance as a module of its own.
    """
    share = getattr(platform, "share", None)
    return component if share is None else share(component)
