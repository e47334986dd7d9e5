"""What the user can get wrong, as exceptions with one-line messages."""

from collections.abc import Sequence

__all__ = ["InputError", "ParameterError", "some_of"]

_SHOWN = 5
"""Names in a message."""


class InputError(ValueError):
    """Data, a file or an option from the user cannot be used; the message is one clear line."""


class ParameterError(InputError):
    """A parameter is out of range or contradicts another one.

    Parameters
    ----------
    key : str
        Name of the parameter, as written in a preset.
    value : object
        The value that was given.
    allowed : str
        What would have been accepted.
    """

    def __init__(self, key: str, value: object, allowed: str):
        self.key = key
        self.value = value
        self.allowed = allowed
        super().__init__(f"{key} = {value!r} is not possible: {allowed}")


def some_of(names: Sequence[str]) -> str:
    """Return names for a line of text: the first few, and how many more there are.

    Examples
    --------
    >>> some_of([f"conv{n}" for n in range(8)])
    'conv0, conv1, conv2, conv3, conv4 and 3 more'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
