"""How much accuracy squeeze-out costs, from the paper's scheme to the best without training."""
