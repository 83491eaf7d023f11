"""TODO-DOC set_up"""
