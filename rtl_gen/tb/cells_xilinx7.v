// Cells of the Xilinx 7 series in the top of a board, for simulation: only the modes used there.

module IBUF (input I, output O);
    assign O = I;
endmodule

module OBUFT (input I, T, output O);
    assign O = T ? 1'bz : I;
endmodule

module BUFG (input I, output O);
    assign O = I;
endmodule

module FDPE (input C, CE, PRE, D, output reg Q);
    parameter INIT = 1'b1;
    initial Q = INIT;
    always @(posedge C, posedge PRE)
        if (PRE) Q <= 1;
        else if (CE) Q <= D;
endmodule

// A loop. A simulation clock by clock has no frequencies: whoever drives the input makes the clock
// that leaves the loop. It locks after some clocks.
module PLLE2_BASE (
    input CLKIN1, CLKFBIN, RST, PWRDWN,
    output CLKFBOUT, CLKOUT0, LOCKED
);
    parameter real CLKIN1_PERIOD = 0;
    parameter DIVCLK_DIVIDE = 1, CLKFBOUT_MULT = 1, CLKOUT0_DIVIDE = 1;

    reg [6:0] clocks = 0;
    assign CLKFBOUT = CLKIN1;
    assign CLKOUT0 = CLKIN1;
    assign LOCKED = clocks[6];
    always @(posedge CLKIN1)
        if (RST || PWRDWN) clocks <= 0;
        else if (!LOCKED) clocks <= clocks + 1;
endmodule
