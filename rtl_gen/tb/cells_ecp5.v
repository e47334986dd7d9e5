// Cells of the Lattice ECP5 in the top of a board, for simulation: only the modes used there.

module IB (input I, output O);
    assign O = I;
endmodule

module OBZ (input I, T, output O);
    assign O = T ? 1'bz : I;
endmodule

// A loop: see cells_loop.v.
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

    assign CLKOP = CLKI;
    assign CLKOS = CLKI;
    loop_lock lock (.clock(CLKI), .stopped(RST || STDBY), .locked(LOCK));
endmodule
