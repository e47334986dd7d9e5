"""The host's side of a board: frames of the serial link."""
