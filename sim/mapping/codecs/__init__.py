"""Codecs: how real weights become integer magnitude codes. One file and one line here each."""

from .base import Codec
from .codes import CODES
from .int8 import INT8
from .sme import SME

__all__ = ["CODECS", "Codec"]

CODECS: dict[str, Codec] = {codec.name: codec for codec in (SME, INT8, CODES)}
