"""The verbs: one file a subcommand."""
