"""Lets equal modules be emitted once, with the ports that their signatures document."""

from amaranth import Elaboratable, ResetInserter, Signal
from amaranth.lib import wiring

__all__ = ["shared"]


def shared(
    component: wiring.Component, platform: object, reset: Signal | None = None
) -> Elaboratable:
    """Return what to add as a submodule for ``component``.

    A platform with a ``share`` method (:class:`rtl_gen.emit.ModuleLibrary`) may answer with an
    instance of a module that it emits apart; elsewhere, in simulation for example, the component
    itself is used. Without this, Amaranth emits every instance as a module of its own.

    With ``reset``, the module is reset while that is 1. It has to be 1, too, after a clock in which
    the domain is reset: a register with ``init=1`` is.
    """
    share = getattr(platform, "share", None)
    if share is not None:
        return share(component, reset)
    return component if reset is None else ResetInserter(reset)(component)
