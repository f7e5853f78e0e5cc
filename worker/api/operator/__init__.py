"""The HTTP interface for operators: the use cases of the command line, with the same tokens and roles."""
