"""Test cases of the hardware modules; each runs in Amaranth's simulator and in emitted Verilog."""
