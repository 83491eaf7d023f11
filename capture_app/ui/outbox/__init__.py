"""TODO-DOC outbox"""
