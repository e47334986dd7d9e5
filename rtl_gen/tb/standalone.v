// Runs all jobs without Python, for flows that have a simulator but no cocotb. Ends with an error
// ($fatal) unless everything came out as expected: the results word for word, the clips count for
// count, and the clocks exactly where the streams are not stalled.
// Top module; its parameters are those in jobs.json, and jobs.hex has what it needs of the jobs.
module standalone #(
    parameter INPUT_WIDTH = 8,
    parameter RESULT_WIDTH = 24,
    parameter CLIP_PLANE_WIDTH = 3,
    parameter CLIPS_WIDTH = 32
);
    reg clk = 0;
    always #5 clk = !clk;

    bench #(
        .INPUT_WIDTH(INPUT_WIDTH),
        .RESULT_WIDTH(RESULT_WIDTH),
        .CLIP_PLANE_WIDTH(CLIP_PLANE_WIDTH),
        .CLIPS_WIDTH(CLIPS_WIDTH)
    ) bench_0 (
        .clk(clk)
    );

    integer jobs_file, expected_file, result_file, scanned, planes, settle, job, plane, n;
    integer failures = 0, words = 0;
    reg [31:0] jobs, limit, clocks, compared, expected_cycles, expected_clips, expected, result;

    task read(output [31:0] word);
        begin
            scanned = $fscanf(jobs_file, "%h", word);
            if (scanned != 1) $fatal(1, "jobs.hex ends too early");
        end
    endtask

    task run_job;
        begin
            read(bench_0.program_words);
            read(bench_0.input_beats);
            read(bench_0.result_beats);
            read(limit);
            bench_0.stall = limit[7:0];
            read(bench_0.seed);
            read(limit);
            read(compared);
            read(expected_cycles);
            @(negedge clk) bench_0.request = !bench_0.request;
            repeat (2) @(negedge clk);  // it takes the request, and is no longer done
            for (clocks = 0; !bench_0.done && clocks < limit; clocks = clocks + 1) @(negedge clk);
            if (bench_0.error) $fatal(1, "job %0d: the design refused the program", job + 1);
            if (!bench_0.done) $fatal(1, "job %0d: the results did not come in time", job + 1);
            if (compared != 0 && bench_0.cycles != expected_cycles) begin
                failures = failures + 1;
                $display("job %0d: %0d clocks, not %0d", job + 1, bench_0.cycles, expected_cycles);
            end
            for (plane = 0; plane < planes; plane = plane + 1) begin
                bench_0.clip_plane = plane[CLIP_PLANE_WIDTH-1:0];
                for (n = 0; n <= settle; n = n + 1) @(negedge clk);
                read(expected_clips);
                if (bench_0.clips != expected_clips) begin
                    failures = failures + 1;
                    $display("job %0d, plane %0d: %0d clips, not %0d",
                             job + 1, plane, bench_0.clips, expected_clips);
                end
            end
        end
    endtask

    // Counts the words that differ; a word that is missing differs.
    task compare_results;
        begin
            expected_file = $fopen("expected.hex", "r");
            result_file = $fopen("results.hex", "r");
            while ($fscanf(expected_file, "%h", expected) == 1) begin
                words = words + 1;
                scanned = $fscanf(result_file, "%h", result);
                if (scanned != 1 || result !== expected) begin
                    failures = failures + 1;
                    $display("line %0d of results.hex: not %h", words, expected);
                end
            end
            if ($fscanf(result_file, "%h", result) == 1) $fatal(1, "more words than expected");
        end
    endtask

    initial begin
        jobs_file = $fopen("jobs.hex", "r");
        if (jobs_file == 0) $fatal(1, "jobs.hex is not in the working folder");
        read(jobs);
        read(planes);
        read(settle);
        bench_0.files_open = 1;
        repeat (3) @(negedge clk);
        bench_0.rst = 0;
        for (job = 0; job < jobs; job = job + 1) run_job;
        bench_0.files_open = 0;
        @(negedge clk);
        compare_results;
        if (failures != 0 || words == 0) $fatal(1, "FAIL: %0d differences", failures);
        $display("PASS: %0d jobs, %0d words as expected", jobs, words);
        $finish;
    end
endmodule
