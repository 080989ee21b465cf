"""The command line: `pipeloom`."""
