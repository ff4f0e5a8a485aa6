"""``python -m mappo_verify``."""

from .cli import main

main()
