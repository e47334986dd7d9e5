"""The host's side of a board: the serial link, the units behind it, and mapped layers on them."""
