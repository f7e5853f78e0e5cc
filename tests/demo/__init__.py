"""The demo: the whole main job against reference targets, checked from outside.

What HR said is read anew from the events file by `tests.demo.oracle`, and what became of it is read from the
targets over HTTP; neither asks Hirewire's code or its database.
"""
