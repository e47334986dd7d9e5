"""Weights in, mapping out; integer golden model; co-simulation with the generated RTL."""
