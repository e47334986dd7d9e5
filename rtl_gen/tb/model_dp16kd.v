// Block RAM of the Lattice ECP5, for simulation: only the mode that sme_hw/block_memory.py uses.
//
// There is no open model; this one is our reading of Lattice's memory usage guide (TN1264).
// Words are 36 bits wide, port A writes, port B reads through the output register. The lower half
// of a word that is read leaves through port A. What is read while it is written is unknown.
module DP16KD (
    input CLKA, CEA, WEA, OCEA, RSTA, CSA0, CSA1, CSA2,
    input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12,
        ADA13,
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12,
        DIA13, DIA14, DIA15, DIA16, DIA17,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12,
        DOA13, DOA14, DOA15, DOA16, DOA17,
    input CLKB, CEB, WEB, OCEB, RSTB, CSB0, CSB1, CSB2,
    input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12,
        ADB13,
    input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12,
        DIB13, DIB14, DIB15, DIB16, DIB17,
    output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12,
        DOB13, DOB14, DOB15, DOB16, DOB17
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter GSR = "ENABLED";

    initial begin
        if (DATA_WIDTH_A != 36 || DATA_WIDTH_B != 36 || REGMODE_A != "OUTREG"
            || REGMODE_B != "OUTREG" || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
            || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin
            $display("DP16KD: this mode is not modelled");
            $finish;
        end
    end

    wire [8:0] write_address = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5};
    wire [8:0] read_address = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5};
    wire [3:0] bytes = {ADA3, ADA2, ADA1, ADA0};
    wire [35:0] written = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8,
        DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13,
        DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire write = CEA && WEA && {CSA2, CSA1, CSA0} == 0 && !ADA4;
    wire read = CEB && !WEB && {CSB2, CSB1, CSB0} == 0 && {ADB4, ADB3, ADB2, ADB1, ADB0} == 0;

    reg [35:0] words [0:511];
    reg [35:0] fetched, output_register;
    integer i;

    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
        DOB5, DOB4, DOB3, DOB2, DOB1, DOB0, DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11,
        DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = output_register;

    always @(posedge CLKA)
        for (i = 0; i < 4; i = i + 1)
            if (write && bytes[i]) words[write_address][9 * i +: 9] <= written[9 * i +: 9];

    always @(posedge CLKB) begin
        if (read)
            fetched <= write && bytes != 0 && write_address == read_address
                ? 36'bx : words[read_address];
        // Whether the output register needs CE besides OCE does not matter: OCE implies CE here.
        if (read && OCEA && OCEB) output_register <= fetched;
        if (RSTA || RSTB) output_register <= 36'bx;
    end
endmodule
