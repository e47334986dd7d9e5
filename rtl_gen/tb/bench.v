// Moves whole jobs through the design: program, input vectors, results. The cocotb test
// (tb_design.py) requests them one by one; every clock in between is handled here, which is much
// faster than from Python. Data files hold 32-bit words (see run.py for how to run).
module bench #(
    parameter INPUT_WIDTH = 8,
    parameter RESULT_WIDTH = 24,
    parameter CLIP_PLANE_WIDTH = 3,
    parameter CLIPS_WIDTH = 32
) (
    input wire clk /* verilator public_flat_rw */
);
    localparam INPUT_WORDS = (INPUT_WIDTH + 31) / 32;
    localparam RESULT_WORDS = (RESULT_WIDTH + 31) / 32;

    // Written by the cocotb test. Only what Python touches is public in Verilator: that makes building
    // and running many times faster than making everything public.
    reg rst /* verilator public_flat_rw */ = 1;
    reg files_open /* verilator public_flat_rw */ = 0;
    reg request /* verilator public_flat_rw */ = 0;               // each change starts a job
    reg [31:0] program_words /* verilator public_flat_rw */ = 0;
    reg [31:0] input_beats /* verilator public_flat_rw */ = 0;
    reg [31:0] result_beats /* verilator public_flat_rw */ = 0;
    reg [7:0] stall /* verilator public_flat_rw */ = 0;           // 0: never; n: streams pause in n of 256 clocks
    reg [31:0] seed /* verilator public_flat_rw */ = 1;

    // Read by the cocotb test.
    reg done /* verilator public_flat_rw */ = 0;
    reg [63:0] cycles /* verilator public_flat_rw */ = 0;         // first input beat to last result beat, both included
    reg [CLIP_PLANE_WIDTH-1:0] clip_plane /* verilator public_flat_rw */ = 0;
    wire [CLIPS_WIDTH-1:0] clips /* verilator public_flat_rw */;

    reg [31:0] program_payload = 0;
    reg program_valid = 0;
    wire program_ready;
    reg [INPUT_WORDS*32-1:0] input_payload = 0;
    reg input_valid = 0;
    wire input_ready;
    wire [RESULT_WIDTH-1:0] result_payload;
    wire [RESULT_WORDS*32-1:0] result_words = result_payload;
    wire result_valid;
    reg result_ready = 0;
    wire busy;
    wire error /* verilator public_flat_rw */;

    sme_compute_unit dut (
        .clk(clk),
        .rst(rst),
        .program__payload(program_payload),
        .program__valid(program_valid),
        .program__ready(program_ready),
        .i__payload(input_payload[INPUT_WIDTH-1:0]),
        .i__valid(input_valid),
        .i__ready(input_ready),
        .o__payload(result_payload),
        .o__valid(result_valid),
        .o__ready(result_ready),
        .clip_plane(clip_plane),
        .clips(clips),
        .busy(busy),
        .error(error)
    );

    integer program_file, input_file, result_file, scanned, w;
    always @(posedge files_open) begin
        program_file = $fopen("program.hex", "r");
        input_file = $fopen("inputs.hex", "r");
        result_file = $fopen("results.hex", "w");
    end
    always @(negedge files_open) begin
        $fclose(program_file);
        $fclose(input_file);
        $fclose(result_file);
    end

    reg seen = 0;                  // last request
    reg running = 0;
    reg first_beat_sent = 0;
    reg [31:0] program_left = 0;
    reg [31:0] inputs_left = 0;
    reg [31:0] results_left = 0;
    reg [31:0] random = 1;
    reg [31:0] word;
    reg [INPUT_WORDS*32-1:0] beat;
    wire program_moves = program_valid && program_ready;
    wire input_moves = input_valid && input_ready;
    wire result_moves = result_valid && result_ready;

    function [31:0] next_random(input [31:0] x);
        reg [31:0] y;
        begin  // xorshift
            y = x ^ (x << 13);
            y = y ^ (y >> 17);
            next_random = y ^ (y << 5);
        end
    endfunction

    always @(posedge clk) begin
        random <= next_random(random);
        if (request != seen) begin
            seen <= request;
            running <= 1;
            done <= 0;
            first_beat_sent <= 0;
            cycles <= 0;
            program_left <= program_words;
            inputs_left <= input_beats;
            results_left <= result_beats;
            random <= seed;
        end else if (running) begin
            if (program_moves || !program_valid) begin
                program_valid <= program_left != 0 && random[7:0] >= stall;
                if (program_left != 0 && random[7:0] >= stall) begin
                    scanned = $fscanf(program_file, "%h", word);
                    program_payload <= word;
                    program_left <= program_left - 1;
                end
            end
            // Inputs follow their program.
            if (program_left == 0 && (program_moves || !program_valid)
                    && (input_moves || !input_valid)) begin
                input_valid <= inputs_left != 0 && random[15:8] >= stall;
                if (inputs_left != 0 && random[15:8] >= stall) begin
                    for (w = 0; w < INPUT_WORDS; w = w + 1) begin
                        scanned = $fscanf(input_file, "%h", word);
                        beat[w*32 +: 32] = word;
                    end
                    input_payload <= beat;
                    inputs_left <= inputs_left - 1;
                end
            end
            result_ready <= random[23:16] >= stall;
            if (result_moves) begin
                for (w = 0; w < RESULT_WORDS; w = w + 1)
                    $fwrite(result_file, "%08x\n", result_words[w*32 +: 32]);
                results_left <= results_left - 1;
            end
            if (input_moves)
                first_beat_sent <= 1;
            if (input_moves || first_beat_sent)
                cycles <= cycles + 1;
            if (result_moves && results_left == 1) begin
                running <= 0;
                result_ready <= 0;
                done <= 1;
            end
        end
    end
endmodule
