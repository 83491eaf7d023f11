"""TODO-DOC identity"""
