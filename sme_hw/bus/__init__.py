"""Ways from a host to the compute unit: registers, and the UART bridge."""
