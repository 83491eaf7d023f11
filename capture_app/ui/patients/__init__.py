"""TODO-DOC patients"""
