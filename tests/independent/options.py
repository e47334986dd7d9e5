"""The options of a mapping and of its hardware, and what follows from them alone."""

import math
from dataclasses import asdict, dataclass

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a mapping and of its hardware, named like the project's own.

    The defaults are those of the preset ``paper``.
    """

    rows: int = 128
    cols: int = 128
    cell_bits: int = 1
    input_bits: int = 8
    signed_inputs: bool = False
    adc_bits: int | list[int] | str = 6
    adc_lsb: int = 0
    adcs_per_crossbar: int = 1
    rows_active: int | str = "all"
    inputs_per_beat: int = 1
    results_per_beat: int = 1
    emulation_lanes: int = 1
    weight_sets: int = 1
    codec: str = "sme"
    weight_bits: int = 8
    window: int = 3
    scale: str = "layer-pow2"
    policy: str = "paper"
    squeeze: int = 1
    row_bits: int | list[int] | str = "all"

    def as_dict(self):
        """Return the options as keyword arguments."""
        return asdict(self)

    @property
    def code_bits(self):
        """Bits of a code, padded to whole cells: N."""
        return self.cell_bits * math.ceil(self.weight_bits / self.cell_bits)

    @property
    def kept_bits(self):
        """Bits of a code that are left after the squeeze-out: N - x."""
        return self.code_bits - self.squeeze

    @property
    def planes(self):
        """Crossbars of one sign that are built for a tile."""
        return self.kept_bits // self.cell_bits

    @property
    def active_rows(self):
        """Rows that are converted together: G."""
        return self.rows if self.rows_active == "all" else self.rows_active

    @property
    def splits(self):
        """Whether rows are split into pieces."""
        return self.policy == "split" and self.squeeze > 0

    @property
    def rcmr_row_bits(self):
        """Bits that the Row Conversion Mask Register spends on a row."""
        if self.squeeze == 0 or self.policy == "plain":
            return 0
        return 1 if self.policy == "paper" else math.ceil(math.log2(self.squeeze + 1))

    def empty_bits(self, row):
        """Return how many low bits the codes of row ``row`` of a layer leave empty."""
        if self.codec != "mixed" or self.policy == "plain" or self.row_bits == "all":
            return 0
        numbers = [self.row_bits] if isinstance(self.row_bits, int) else self.row_bits
        return self.weight_bits - numbers[row % len(numbers)]

    def plane_adc_bits(self):
        """Return the resolution of the converters of every plane, most significant first."""
        if self.adc_bits == "lossless":
            # As many as the largest sum of a column takes.
            return [(self.active_rows * (2**self.cell_bits - 1)).bit_length()] * self.planes
        if isinstance(self.adc_bits, int):
            return [self.adc_bits] * self.planes
        return list(self.adc_bits)
