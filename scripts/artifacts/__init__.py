"""What a release carries beside the tables, a module per artifact. Equal input, equal bytes."""
