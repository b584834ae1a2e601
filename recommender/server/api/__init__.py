"""Routes of the interface for programs, ``/api/v1``: one module for each kind of thing.

Answers have `models.SCHEMA_VERSION`; fields may be added to it, and none changes its meaning.
"""
