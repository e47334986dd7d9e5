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

// A loop: see cells_loop.v.
module PLLE2_BASE (
    input CLKIN1, CLKFBIN, RST, PWRDWN,
    output CLKFBOUT, CLKOUT0, LOCKED
);
    parameter real CLKIN1_PERIOD = 0;
    parameter DIVCLK_DIVIDE = 1, CLKFBOUT_MULT = 1, CLKOUT0_DIVIDE = 1;

    assign CLKFBOUT = CLKIN1;
    assign CLKOUT0 = CLKIN1;
    loop_lock lock (.clock(CLKIN1), .stopped(RST || PWRDWN), .locked(LOCKED));
endmodule
