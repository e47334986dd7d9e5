"""What the user can get wrong, as exceptions with one-line messages."""

__all__ = ["InputError", "ParameterError"]


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
