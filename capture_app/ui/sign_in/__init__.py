"""TODO-DOC sign_in"""
