"""The conformance kit adopted for every connector of this project, one line each."""
