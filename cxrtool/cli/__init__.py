"""The command line: options, help, exit codes, and what is generated from them."""
