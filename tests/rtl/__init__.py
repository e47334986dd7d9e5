"""Tests of emitted Verilog, in a simulator under cocotb."""
