"""The command line: one module for each command, thin over the use cases. Names no concrete part twice."""
