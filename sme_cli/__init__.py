"""The `sme` command: one file per subcommand."""
