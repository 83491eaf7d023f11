"""TODO-DOC workspace"""
