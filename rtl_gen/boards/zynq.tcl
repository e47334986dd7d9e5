# Builds the project in this folder: vivado -mode batch -source build.tcl
# Registers of the unit are at @unit_base@, the DMA of programs at @program_base@, the DMA of inputs
# and results at @data_base@. Programs and inputs leave memory, results go there.
create_project -force sme_board project -part @part@

# Memory and clocks of the processors: known to the board's files. Without them, only a system that
# has been started by other means may load the bitstream.
set board_part ""
if {"@board_part@" ne ""} {
    set board_part [lindex [get_board_parts -quiet {@board_part@:*}] end]
}
if {$board_part ne ""} {
    set_property board_part $board_part [current_project]
} else {
    puts "WARNING: no board files: load the bitstream from a running system only"
}

add_files {@unit_file@ @wrapper@.v}
add_files -fileset constrs_1 timing.xdc
update_compile_order -fileset sources_1

create_bd_design system

create_bd_cell -type ip -vlnv xilinx.com:ip:processing_system7 processors
if {$board_part ne ""} {
    apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
        -config {make_external "FIXED_IO, DDR" apply_board_preset 1} [get_bd_cells processors]
} else {
    make_bd_intf_pins_external -name DDR [get_bd_intf_pins processors/DDR]
    make_bd_intf_pins_external -name FIXED_IO [get_bd_intf_pins processors/FIXED_IO]
}
set_property -dict {
    CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ @clock_mhz@
    CONFIG.PCW_EN_CLK0_PORT 1
    CONFIG.PCW_EN_RST0_PORT 1
    CONFIG.PCW_USE_M_AXI_GP0 1
    CONFIG.PCW_USE_S_AXI_HP0 1
    CONFIG.PCW_USE_FABRIC_INTERRUPT 1
    CONFIG.PCW_IRQ_F2P_INTR 1
} [get_bd_cells processors]

create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset
create_bd_cell -type module -reference @wrapper@ unit
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma program_dma
set_property -dict {
    CONFIG.c_include_sg 0
    CONFIG.c_include_mm2s 1
    CONFIG.c_include_s2mm 0
    CONFIG.c_m_axis_mm2s_tdata_width @program_bits@
    CONFIG.c_sg_length_width 26
} [get_bd_cells program_dma]
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma data_dma
set_property -dict {
    CONFIG.c_include_sg 0
    CONFIG.c_include_mm2s 1
    CONFIG.c_include_s2mm 1
    CONFIG.c_m_axis_mm2s_tdata_width @input_bits@
    CONFIG.c_s_axis_s2mm_tdata_width @result_bits@
    CONFIG.c_include_mm2s_dre 1
    CONFIG.c_sg_length_width 26
} [get_bd_cells data_dma]
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_interconnect control
set_property -dict {CONFIG.NUM_SI 1 CONFIG.NUM_MI 3} [get_bd_cells control]
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_interconnect memory
set_property -dict {CONFIG.NUM_SI 3 CONFIG.NUM_MI 1} [get_bd_cells memory]
create_bd_cell -type ip -vlnv xilinx.com:ip:xlconcat interrupts
set_property -dict {CONFIG.NUM_PORTS 3} [get_bd_cells interrupts]

# One clock for everything.
connect_bd_net [get_bd_pins processors/FCLK_CLK0] \
    [get_bd_pins processors/M_AXI_GP0_ACLK] [get_bd_pins processors/S_AXI_HP0_ACLK] \
    [get_bd_pins reset/slowest_sync_clk] [get_bd_pins unit/@clock@] \
    [get_bd_pins program_dma/s_axi_lite_aclk] [get_bd_pins program_dma/m_axi_mm2s_aclk] \
    [get_bd_pins data_dma/s_axi_lite_aclk] [get_bd_pins data_dma/m_axi_mm2s_aclk] \
    [get_bd_pins data_dma/m_axi_s2mm_aclk] \
    [get_bd_pins control/ACLK] [get_bd_pins control/S00_ACLK] [get_bd_pins control/M00_ACLK] \
    [get_bd_pins control/M01_ACLK] [get_bd_pins control/M02_ACLK] \
    [get_bd_pins memory/ACLK] [get_bd_pins memory/S00_ACLK] [get_bd_pins memory/S01_ACLK] \
    [get_bd_pins memory/S02_ACLK] [get_bd_pins memory/M00_ACLK]
connect_bd_net [get_bd_pins processors/FCLK_RESET0_N] [get_bd_pins reset/ext_reset_in]
connect_bd_net [get_bd_pins reset/peripheral_reset] [get_bd_pins unit/@reset@]
connect_bd_net [get_bd_pins reset/interconnect_aresetn] \
    [get_bd_pins control/ARESETN] [get_bd_pins memory/ARESETN]
connect_bd_net [get_bd_pins reset/peripheral_aresetn] \
    [get_bd_pins program_dma/axi_resetn] [get_bd_pins data_dma/axi_resetn] \
    [get_bd_pins control/S00_ARESETN] [get_bd_pins control/M00_ARESETN] \
    [get_bd_pins control/M01_ARESETN] [get_bd_pins control/M02_ARESETN] \
    [get_bd_pins memory/S00_ARESETN] [get_bd_pins memory/S01_ARESETN] \
    [get_bd_pins memory/S02_ARESETN] [get_bd_pins memory/M00_ARESETN]

proc connect_bus {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}
connect_bus processors/M_AXI_GP0 control/S00_AXI
connect_bus control/M00_AXI unit/@registers@
connect_bus control/M01_AXI program_dma/S_AXI_LITE
connect_bus control/M02_AXI data_dma/S_AXI_LITE
connect_bus program_dma/M_AXI_MM2S memory/S00_AXI
connect_bus data_dma/M_AXI_MM2S memory/S01_AXI
connect_bus data_dma/M_AXI_S2MM memory/S02_AXI
connect_bus memory/M00_AXI processors/S_AXI_HP0
connect_bus program_dma/M_AXIS_MM2S unit/@program@
connect_bus data_dma/M_AXIS_MM2S unit/@inputs@
connect_bus unit/@results@ data_dma/S_AXIS_S2MM
connect_bd_net [get_bd_pins program_dma/mm2s_introut] [get_bd_pins interrupts/In0]
connect_bd_net [get_bd_pins data_dma/mm2s_introut] [get_bd_pins interrupts/In1]
connect_bd_net [get_bd_pins data_dma/s2mm_introut] [get_bd_pins interrupts/In2]
connect_bd_net [get_bd_pins interrupts/dout] [get_bd_pins processors/IRQ_F2P]

proc place {pin offset} {
    assign_bd_address -offset $offset \
        -target_address_space [get_bd_addr_spaces processors/Data] \
        [get_bd_addr_segs -of_objects [get_bd_intf_pins $pin]]
}
place unit/@registers@ @unit_base@
place program_dma/S_AXI_LITE @program_base@
place data_dma/S_AXI_LITE @data_base@
assign_bd_address

validate_bd_design
save_bd_design
make_wrapper -files [get_files system.bd] -top -import
set_property top system_wrapper [current_fileset]

launch_runs impl_1 -to_step write_bitstream
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
    puts "ERROR: the build failed: see project/sme_board.runs"
    exit 1
}
open_run impl_1
report_utilization -file utilization.rpt
report_timing_summary -file timing.rpt
file copy -force [glob project/sme_board.runs/impl_1/*.bit] sme_board.bit
write_hw_platform -fixed -include_bit -force -file sme_board.xsa
set slack [get_property SLACK [get_timing_paths -max_paths 1 -nworst 1]]
puts "slack at @clock_mhz@ MHz: $slack ns"
if {$slack < 0} {
    puts "ERROR: timing is not met"
    exit 1
}
