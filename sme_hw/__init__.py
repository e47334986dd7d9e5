"""Amaranth modules of the Sparse-Multiplication-Engine, and the facts everything else shares.

Parameters (:mod:`sme_hw.params`), clock counts (:mod:`sme_hw.cycles`, :mod:`sme_hw.run_cycles`) and
the format in which a mapping is loaded (:mod:`sme_hw.program`) are plain Python; this package
imports no other of ours.
"""
