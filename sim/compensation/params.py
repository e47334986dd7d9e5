"""How a network is fitted to calibration images."""

from dataclasses import dataclass

from sme_hw.errors import ParameterError
from sme_hw.params import check_choice, check_flag, check_int

__all__ = ["ROUNDINGS", "FitParams"]

ROUNDINGS = ("nearest", "compensated")


@dataclass(frozen=True, kw_only=True)
class FitParams:
    """What calibration images are used for, beside the ranges of inputs.

    Parameters
    ----------
    rounding : str
        ``"nearest"``: every weight becomes its nearest code. ``"compensated"``: the errors of rows
        are made up for by other rows (:mod:`sim.compensation.rounding`).
    bias_correction : bool
        Biases make up for the mean errors of outputs.
    additions : bool
        Where a layer's output is added to another tensor, the layer makes up for that one's errors,
        too: the sum at the end of a residual block is reconstructed. Compensated rounding only.
    ratio : float or None
        All layers together get the crossbars of a conventional mapping over ``ratio``, shared out
        by what they save: planes of tiles, or pieces of rows with the policy ``split``. None: every
        tile has all the planes that the mapping's parameters leave. Compensated rounding only.
    damping : float
        What is added to the diagonal of second moments, as a share of their mean.
    passes : int
        Times that all rows are rounded again.

    Raises
    ------
    ParameterError
        A value is out of range, or has no meaning beside the others.
    """

    rounding: str = "nearest"
    bias_correction: bool = False
    additions: bool = False
    ratio: float | None = None
    damping: float = 0.03
    passes: int = 4

    def __post_init__(self) -> None:
        check_choice("rounding", self.rounding, list(ROUNDINGS))
        check_flag("bias_correction", self.bias_correction)
        check_flag("additions", self.additions)
        check_int("passes", self.passes, 0, 100)
        if not 1e-3 <= self.damping <= 1e6:  # less would drown in the rounding of float32
            raise ParameterError("damping", self.damping, "a number in 1e-3..1e6 is needed")
        if self.ratio is not None and not 1 <= self.ratio <= 1e6:
            raise ParameterError("ratio", self.ratio, "a number of at least 1 is needed")
        if self.rounding == "nearest":
            for key in ("additions", "ratio"):
                if getattr(self, key):
                    why = "it needs rounding = compensated"
                    raise ParameterError(key, getattr(self, key), why)

    @property
    def needs_images(self) -> bool:
        """Layers are not mapped each by itself."""
        return self.rounding != "nearest" or self.bias_correction
