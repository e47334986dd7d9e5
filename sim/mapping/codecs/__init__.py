"""Codecs: how real weights become integer magnitude codes. One file and one line here each."""

from .apot import APOT
from .base import Codec
from .codes import CODES
from .int8 import INT8
from .mixed import MIXED
from .po2 import PO2
from .sme import SME

__all__ = ["CODECS", "Codec"]

CODECS: dict[str, Codec] = {codec.name: codec for codec in (SME, INT8, CODES, PO2, APOT, MIXED)}
