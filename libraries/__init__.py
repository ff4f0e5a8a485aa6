"""Adapters for public libraries: hooks of the conformance kit, each a call of one of their functions.

They are run by ``tox -e conformance-libraries``, which installs the libraries; ``python -m libraries.table`` writes what conforms
into ``docs/conformance-libraries.md``.
"""
