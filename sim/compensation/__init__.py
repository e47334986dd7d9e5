"""Rounding that makes up for its own errors, from inputs seen in calibration."""
