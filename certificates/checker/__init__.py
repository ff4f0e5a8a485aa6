"""The checker of certificates: see ``check.py`` beside this folder."""
