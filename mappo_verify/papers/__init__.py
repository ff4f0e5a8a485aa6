"""Papers on trial, one folder each, as data for the engine; :mod:`mappo_verify.papers.registry` finds a claim by its id."""
