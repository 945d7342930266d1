"""`bubbybot verify`: the demo account answers what the sandbox had to assume.

`probes/` holds the questions, a few lines each. A run journals every request that changes something
before it sends it (`journal`), so that whatever ends it, what it left can be taken away again
(`cleaning`). The answers become a page (`page`) and a profile that the sandbox runs on (`profile`).
"""
