// What a loop needs to lock, for simulation, whatever its family. A simulation clock by clock has no
// frequencies: whoever drives the input makes the clock that leaves the loop.
module loop_lock (input clock, stopped, output locked);
    reg [6:0] clocks = 0;
    assign locked = clocks[6];
    always @(posedge clock)
        if (stopped) clocks <= 0;
        else if (!locked) clocks <= clocks + 1;
endmodule
