"""TODO-DOC problem"""
