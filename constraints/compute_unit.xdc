# Out-of-context timing of the compute unit, for trial synthesis of design.v (Vivado; the first
# line is also plain SDC). Board constraints stand apart from this file.
create_clock -name clk -period 10.000 [get_ports clk]
set_property HD.CLK_SRC BUFGCTRL_X0Y0 [get_ports clk]
