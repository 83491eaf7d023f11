"""TODO-DOC first_run"""
