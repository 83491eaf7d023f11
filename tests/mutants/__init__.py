"""Faults planted on purpose, one at a time, in a copy of the tree: a test must catch each of them.

    python -m tests.mutants [NAME...] [--quick] [--list]

What is planted is what would hurt most in a hospital: an image lost, filed to the wrong patient or
coded wrongly, a proof that proves nothing. `make test` plants the quick ones.
"""
