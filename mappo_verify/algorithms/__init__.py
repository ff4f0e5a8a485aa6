"""Algorithms of the paper, as printed, with their repaired variants beside them; every run leaves a trace."""
