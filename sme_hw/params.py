"""Parameters of the hardware: validated once, and every width derived from them here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from .errors import ParameterError

__all__ = [
    "CLIP_COUNTER_BITS",
    "PROGRAM_BITS",
    "HardwareParams",
    "ceil_div",
    "check_choice",
    "check_flag",
    "check_int",
    "index_bits",
    "plain_values",
]

PROGRAM_BITS = 32
"""Width of a word on the program stream, in bits."""

CLIP_COUNTER_BITS = 32
"""Width of the saturating clip counter of each plane, in bits."""

ADC_BITS_MAX = 12


def check_int(key: str, value: object, low: int, high: int, why: str = "") -> None:
    """Raise :class:`ParameterError` unless ``value`` is an integer in ``low..high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ParameterError(key, value, f"an integer in {low}..{high} is needed{why}")


def check_flag(key: str, value: object) -> None:
    """Raise :class:`ParameterError` unless ``value`` is true or false."""
    if not isinstance(value, bool):
        raise ParameterError(key, value, "true or false is needed")


def check_choice(key: str, value: object, choices: Sequence[str | int]) -> None:
    """Raise :class:`ParameterError` unless ``value`` is one of ``choices``."""
    if isinstance(value, bool) or value not in choices:
        raise ParameterError(key, value, f"one of {', '.join(map(str, choices))} is needed")


def plain_values(options: dict[str, object]) -> dict[str, object]:
    """Return options as plain JSON values: tuples become lists."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in options.items()}


def index_bits(count: int) -> int:
    """Return the width of a port that numbers ``count`` things: at least one bit.

    Ports of no width would be emitted as ``[-1:0]``.
    """
    return max(1, (count - 1).bit_length())


def ceil_div(a: int, b: int) -> int:
    """Return the quotient, rounded up."""
    return -(-a // b)


@dataclass(frozen=True, kw_only=True)
class HardwareParams:
    """What one compute unit is built for.

    Counts of SPEC's vocabulary: a crossbar has ``rows`` word lines and ``cols`` bit lines; a
    group of ``rows_active`` rows is converted together; ``planes`` crossbar pairs are built, the
    most significant first.

    Parameters
    ----------
    rows, cols : int
        Crossbar size R x C, 4..512 each.
    cell_bits : int
        Bits a ReRAM cell holds: 1 (SLC) or 2 (MLC).
    planes : int
        Crossbars per sign that remain after squeeze-out, (N - x) / cell_bits.
    max_shift : int
        Largest row shift, in code bits (the squeeze degree x; 0 builds no row conversion).
    shift_step : int
        Granularity of row shifts: ``max_shift`` for the paper's all-or-none masks, 1 for free
        shifts.
    input_bits : int
        Input (activation) bits Ma, 1..16, fed bit-serially, least significant first.
    signed_inputs : bool
        Inputs are two's complement.
    adc_bits : int or tuple of int or "lossless"
        ADC resolution, 1..12; one number, or one per built plane, most significant first;
        ``"lossless"`` derives the smallest resolution that cannot clip, and lets the hardware add
        up all planes and both signs at once (``merged``).
    adc_lsb : int
        LSB size k, 0..8: a code stands for ``2**k`` cell levels.
    adcs_per_crossbar : int
        ADCs A per crossbar: columns converted in one clock.
    rows_active : int or "all"
        Rows G that are active together.
    input_index : bool
        Inputs may go to any physical row: the index decode for reordered rows is built.
    zero_skip : bool
        Bit-cycles in which no active row of a group has a 1 are skipped.
    weight_sets : int
        Tiles that are held at once, 1..4; every input vector names its own (reconstructed).
    inputs_per_beat, results_per_beat : int
        Elements per transfer on the input and result streams.
    emulation_lanes : int
        Bit-cycles that one clock of the FPGA stands for: 1, 2 or 4. A chip takes them one after
        the other; results are the same.

    Raises
    ------
    ParameterError
        A value is out of range, or contradicts another one.
    """

    rows: int
    cols: int
    cell_bits: int
    planes: int
    max_shift: int
    shift_step: int
    input_bits: int
    signed_inputs: bool
    adc_bits: int | tuple[int, ...] | str
    adc_lsb: int
    adcs_per_crossbar: int
    rows_active: int | str
    input_index: bool
    zero_skip: bool
    weight_sets: int
    inputs_per_beat: int
    results_per_beat: int
    emulation_lanes: int

    def __post_init__(self) -> None:
        check_int("rows", self.rows, 4, 512)
        check_int("cols", self.cols, 4, 512)
        check_int("cell_bits", self.cell_bits, 1, 2)
        check_int("planes", self.planes, 1, 8)
        check_int("max_shift", self.max_shift, 0, 7)
        if self.max_shift:
            check_int("shift_step", self.shift_step, 1, self.max_shift)
            if self.max_shift % self.shift_step:
                raise ParameterError(
                    "shift_step", self.shift_step, f"it must divide max_shift = {self.max_shift}"
                )
        check_int("input_bits", self.input_bits, 1, 16)
        check_flag("signed_inputs", self.signed_inputs)
        check_int("adc_lsb", self.adc_lsb, 0, 8)
        check_int("adcs_per_crossbar", self.adcs_per_crossbar, 1, self.cols, " (1..cols)")
        if self.rows_active != "all":
            if isinstance(self.rows_active, str):
                raise ParameterError("rows_active", self.rows_active, 'a number or "all" is needed')
            check_int("rows_active", self.rows_active, 1, self.rows, ' (1..rows) or "all"')
        check_flag("input_index", self.input_index)
        check_flag("zero_skip", self.zero_skip)
        check_int("weight_sets", self.weight_sets, 1, 4)
        why = " (1..rows_active: a beat holds rows of one group)"
        check_int("inputs_per_beat", self.inputs_per_beat, 1, self.group_rows, why)
        check_int("results_per_beat", self.results_per_beat, 1, self.cols, " (1..cols)")
        a, b = self.adcs_per_crossbar, self.results_per_beat
        if a % b and b % a:
            raise ParameterError(
                "results_per_beat", b, f"it must divide adcs_per_crossbar = {a}, or be a multiple"
            )
        check_choice("emulation_lanes", self.emulation_lanes, [1, 2, 4])
        self._check_adc_bits()

    def _check_adc_bits(self) -> None:
        if self.adc_bits == "lossless":
            if self.adc_lsb:
                raise ParameterError(
                    "adc_lsb", self.adc_lsb, 'adc_bits = "lossless" needs adc_lsb = 0'
                )
            return
        if isinstance(self.adc_bits, str):
            raise ParameterError(
                "adc_bits",
                self.adc_bits,
                f'1..{ADC_BITS_MAX}, one such number per built plane, or "lossless" is needed',
            )
        if isinstance(self.adc_bits, tuple):
            if len(self.adc_bits) != self.planes:
                raise ParameterError(
                    "adc_bits",
                    self.adc_bits,
                    f"one number, or {self.planes} (one per built plane, most significant first)",
                )
            if not all(type(bits) is int and 1 <= bits <= ADC_BITS_MAX for bits in self.adc_bits):
                raise ParameterError(
                    "adc_bits", self.adc_bits, f"numbers in 1..{ADC_BITS_MAX} are needed"
                )
        else:
            check_int("adc_bits", self.adc_bits, 1, ADC_BITS_MAX, ', a list, or "lossless"')

    def as_dict(self) -> dict[str, object]:
        """Return the fields as plain JSON values."""
        return plain_values(asdict(self))

    # Geometry

    @property
    def group_rows(self) -> int:
        """Rows G of a group: the physical rows of one slot."""
        return self.rows if isinstance(self.rows_active, str) else self.rows_active

    @property
    def slots(self) -> int:
        """Slots of G physical rows in a crossbar; the last may be short."""
        return ceil_div(self.rows, self.group_rows)

    @property
    def column_steps(self) -> int:
        """Conversions per ADC for all columns: the depth of one slot in a memory bank."""
        return ceil_div(self.cols, self.adcs_per_crossbar)

    @property
    def slot_beats(self) -> int:
        """Beats that fill a slot; a beat never holds rows of two slots."""
        return ceil_div(self.group_rows, self.inputs_per_beat)

    @property
    def row_beats(self) -> int:
        """Beats that fill all slots, in physical row order."""
        return self.slots * self.slot_beats

    @property
    def input_beats(self) -> int:
        """Beats of the input stream that hold a full vector."""
        return ceil_div(self.rows, self.inputs_per_beat) if self.input_index else self.row_beats

    @property
    def result_beats(self) -> int:
        """Result beats that carry all columns."""
        return ceil_div(self.cols, self.results_per_beat)

    @property
    def column_step_bits(self) -> int:
        """Address bits of a column step in a memory bank; none for a single one."""
        return (self.column_steps - 1).bit_length()

    @property
    def set_columns(self) -> int:
        """Words of a memory bank for one weight set: one per column step, slot above slot."""
        return ((self.slots - 1) << self.column_step_bits) + self.column_steps

    # Weight sets

    @property
    def set_bits(self) -> int:
        """Bits that number the weight sets; none for a single one."""
        return (self.weight_sets - 1).bit_length()

    def in_sets(self, entries: int) -> int:
        """Return the words of a memory that holds ``entries`` words of every set.

        The set number takes the address bits above those of the entries of one set.
        """
        return ((self.weight_sets - 1) << (entries - 1).bit_length()) + entries

    # Row conversion

    @property
    def shift_codes(self) -> int:
        """Number of different row shifts; 1 when no row is ever shifted."""
        return self.max_shift // self.shift_step + 1 if self.max_shift else 1

    @property
    def rcmr_bits(self) -> int:
        """Bits of a row's entry in the Row Conversion Mask Register."""
        return (self.shift_codes - 1).bit_length()

    @property
    def converted_bits(self) -> int:
        """Bits of an input after row conversion, and the number of possible bit-cycles."""
        return self.input_bits + self.max_shift

    @property
    def bit_blocks(self) -> int:
        """Blocks of ``emulation_lanes`` bit-cycles, which are computed in the same clock."""
        return ceil_div(self.converted_bits, self.emulation_lanes)

    @property
    def lane_bits(self) -> int:
        """Bits that number a bit-cycle in its block."""
        return (self.emulation_lanes - 1).bit_length()

    # Conversion

    @property
    def merged(self) -> bool:
        """All planes and both signs are one signed sum, since no ADC stands between."""
        return isinstance(self.adc_bits, str)

    @property
    def merged_bits(self) -> int:
        """Bits of the signed weight that the cells of all planes and both signs make."""
        return self.planes * self.cell_bits + 1

    @property
    def cell_max(self) -> int:
        """Largest level of a cell."""
        return 2**self.cell_bits - 1

    @property
    def sum_max(self) -> int:
        """Largest column sum of a group, in cell levels."""
        return self.group_rows * self.cell_max

    @property
    def lossless_bits(self) -> int:
        """ADC bits with which no column of a full group can clip."""
        return self.sum_max.bit_length()

    @cached_property
    def plane_adc_bits(self) -> tuple[int, ...]:
        """ADC resolution of each built plane, most significant first."""
        if isinstance(self.adc_bits, tuple):
            return self.adc_bits
        bits = self.lossless_bits if isinstance(self.adc_bits, str) else self.adc_bits
        return (bits,) * self.planes

    @property
    def plane_code_max(self) -> tuple[int, ...]:
        """Largest ADC code of each built plane."""
        return tuple(min(2**b - 1, self.sum_max >> self.adc_lsb) for b in self.plane_adc_bits)

    @property
    def plane_code_bits(self) -> tuple[int, ...]:
        """Width of an ADC code of each built plane."""
        return tuple(index_bits(code + 1) for code in self.plane_code_max)

    @property
    def plane_weight_bits(self) -> tuple[int, ...]:
        """Binary weight of one ADC code of each built plane, as a left shift."""
        return tuple(
            self.adc_lsb + self.cell_bits * (self.planes - 1 - j) for j in range(self.planes)
        )

    @property
    def clip_flags(self) -> int:
        """Conversions of a plane in a clock, both signs together."""
        return 2 * self.adcs_per_crossbar * self.emulation_lanes

    # Digital widths; each holds the largest value that can occur, so nothing overflows.

    @property
    def splice_max(self) -> int:
        """Largest magnitude of a spliced sample."""
        pairs = zip(self.plane_code_max, self.plane_weight_bits, strict=True)
        return sum(code << weight for code, weight in pairs)

    @property
    def splice_bits(self) -> int:
        """Width of a signed spliced sample."""
        return self.splice_max.bit_length() + 1

    @property
    def result_bits(self) -> int:
        """Width of a signed result: all slots, all bit-cycles at their largest."""
        return (self.slots * (2**self.converted_bits - 1) * self.splice_max).bit_length() + 1

    @property
    def input_range(self) -> tuple[int, int]:
        """Smallest and largest input."""
        if self.signed_inputs:
            return -(2 ** (self.input_bits - 1)), 2 ** (self.input_bits - 1) - 1
        return 0, 2**self.input_bits - 1
