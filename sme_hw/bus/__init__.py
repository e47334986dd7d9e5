"""The compute unit behind buses: AXI4 for systems on a chip, a UART for boards without one."""
