"""Single powers of two."""

from .apot import additive_codec

__all__ = ["PO2"]

PO2 = additive_codec("po2", lambda bits: 1)
"""A magnitude is 0 or 2^-p, at plane p of Nq: the nearest, not the nearest exponent, so that at
most one bit of a weight is 1 (reconstructed)."""
