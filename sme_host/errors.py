"""What can go wrong with a board."""

__all__ = ["DeviceError", "LinkError"]


class LinkError(Exception):
    """The serial link does not work, or the board lost what was said; one clear line."""


class DeviceError(LinkError):
    """What answers is not what was expected: another design, or a unit that refuses."""
