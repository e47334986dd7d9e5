"""Unit tests in Python and in the Amaranth simulator."""
