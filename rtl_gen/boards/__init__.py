"""From a compute unit to the bitstream, or the vendor's project, of a board."""
