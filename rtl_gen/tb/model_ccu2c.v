// Two positions of a carry chain of the Lattice ECP5, for simulation; INJECT1_0 and INJECT1_1 "NO".
module CCU2C (
    input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output S0, S1, COUT
);
    parameter [15:0] INIT0 = 0, INIT1 = 0;
    parameter INJECT1_0 = "YES", INJECT1_1 = "YES";

`ifndef SYNTHESIS
    initial begin
        if (INJECT1_0 != "NO" || INJECT1_1 != "NO") begin
            $display("CCU2C: this mode is not modelled");
            $finish;
        end
    end
`endif

    wire propagate0 = INIT0[{D0, C0, B0, A0}];
    wire propagate1 = INIT1[{D1, C1, B1, A1}];
    wire carry = propagate0 ? CIN : INIT0[{2'b00, B0, A0}];
    assign S0 = propagate0 ^ CIN;
    assign S1 = propagate1 ^ carry;
    assign COUT = propagate1 ? carry : INIT1[{2'b00, B1, A1}];
endmodule
