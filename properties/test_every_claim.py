"""Nothing is left out: every registered claim has its test here."""

import re
from pathlib import Path

from mappo_verify.papers.registry import CLAIMS


def test_every_claim_is_on_trial() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    tried = set(re.findall(r'(?:holds|fails|falls|open_but_unopposed|supported)\("([^"]+)"\)', text))
    assert tried == {claim.id for claim in CLAIMS}
