// Cells of the Lattice ECP5 in the top of a board, for simulation: only the modes used there.

module IB (input I, output O);
    assign O = I;
endmodule

module OBZ (input I, T, output O);
    assign O = T ? 1'bz : I;
endmodule

// A loop. A simulation clock by clock has no frequencies: whoever drives the input makes the clock
// that leaves the loop. It locks after some clocks.
module EHXPLLL (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
        PLLWAKESYNC, ENCLKOP, ENCLKOS,
    output CLKOP, CLKOS, LOCK
);
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, FEEDBK_PATH = "";
    parameter CLKOP_ENABLE = "", CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0;
    parameter CLKOS_ENABLE = "", CLKOS_DIV = 1, CLKOS_CPHASE = 0, CLKOS_FPHASE = 0;
    parameter OUTDIVIDER_MUXA = "", OUTDIVIDER_MUXB = "", DPHASE_SOURCE = "";
    parameter PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "";

    reg [6:0] clocks = 0;
    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    assign LOCK = clocks[6];
    always @(posedge CLKI)
        if (RST || STDBY) clocks <= 0;
        else if (!LOCK) clocks <= clocks + 1;
endmodule
