"""Profiles: ``quick`` (default) for every commit, ``thorough`` for a long look (``--hypothesis-profile=thorough``)."""

from hypothesis import HealthCheck, settings

settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
settings.register_profile(
    "thorough",
    max_examples=3_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # large exact games are slow to draw, and meant to be
)
settings.load_profile("quick")
