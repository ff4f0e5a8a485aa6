"""Renderers.  Computing returns data; only this layer turns it into text."""
