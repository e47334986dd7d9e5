"""Integer references of the hardware modules, named like them, and of whole compute units."""
