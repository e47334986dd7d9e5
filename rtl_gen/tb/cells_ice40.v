// Cells of the Lattice iCE40 in the top of a board, for simulation: only the modes used there.

// A pin: input, or output that is enabled; neither has a register.
module SB_IO (
    inout PACKAGE_PIN,
    input OUTPUT_ENABLE, D_OUT_0,
    output D_IN_0
);
    parameter [5:0] PIN_TYPE = 0;
    parameter PULLUP = 0;
    parameter IO_STANDARD = "";

    assign D_IN_0 = PACKAGE_PIN;
    generate
        case (PIN_TYPE)
            6'b000001: ;
            6'b101001: assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
            default: initial begin
                $display("SB_IO: this mode is not modelled");
                $finish;
            end
        endcase
    endgenerate
endmodule

// A loop: see cells_loop.v.
module SB_PLL40_PAD (
    input PACKAGEPIN, RESETB, BYPASS,
    output PLLOUTGLOBAL, LOCK
);
    parameter FEEDBACK_PATH = "", PLLOUT_SELECT = "";
    parameter [3:0] DIVR = 0;
    parameter [6:0] DIVF = 0;
    parameter [2:0] DIVQ = 0, FILTER_RANGE = 0;

    assign PLLOUTGLOBAL = PACKAGEPIN;
    loop_lock lock (.clock(PACKAGEPIN), .stopped(!RESETB || BYPASS), .locked(LOCK));
endmodule
