"""Pictures, one module for each thing that is drawn; only these modules import Matplotlib, and only inside functions.

Every function takes plain data (of a ``reproduction`` module, or the summary of a run) and returns a Matplotlib ``Figure``
without a window; :func:`~mappo_verify.report.plots.style.save` writes it.
"""
