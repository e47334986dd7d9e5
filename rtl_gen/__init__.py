"""Parameters in, files out: Verilog, its manifest, and a testbench that stands alone."""
