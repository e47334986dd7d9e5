"""The demonstration: handwritten digits, from training to RTL (extra ``demo``)."""
