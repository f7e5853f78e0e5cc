"""Answers as JSON: one form for the command line and for the HTTP interface. Pure."""
