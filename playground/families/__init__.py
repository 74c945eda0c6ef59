"""The families: one file, one idea, one paper each, all with the same skeleton."""
