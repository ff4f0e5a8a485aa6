"""Documents are generated, and current: the README's table, the map of the paper, every command that the README shows."""

import re
from pathlib import Path

import pytest

import mappo_verify as mv
from mappo_verify.claims.registry import CLAIMS
from mappo_verify.report.markdown import BEGIN, END, audit_markdown, paper_map, with_audit

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_paper_map_is_current():
    """``python -m mappo_verify.report.markdown`` rewrites it."""
    assert (ROOT / "docs" / "paper-map.md").read_text(encoding="utf-8") == paper_map()


def test_the_readme_shows_every_claim_with_its_standing():
    """tests/test_audit.py checks that the audit finds these standings anew; here the README must agree with them."""
    table = README.split(BEGIN)[1].split(END)[0]
    shown = re.findall(r"^\| `([^`]+)`(?: °)? \| \*\*([A-Z]+)\*\* \|", table, re.MULTILINE)
    assert shown == [(claim.id, claim.record.value) for claim in CLAIMS]


def test_the_table_comes_from_the_report():
    report = mv.audit(["definition-3.2/lipschitz"])
    text = with_audit(f"before\n{BEGIN}\nold\n{END}\nafter", report)
    assert text == f"before\n{BEGIN}\n{audit_markdown(report)}\n{END}\nafter"
    with pytest.raises(ValueError, match="marks"):
        with_audit("no marks", report)


def test_the_lemma_of_the_readme_is_refuted():
    """The example of one's own lemma works as printed."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (own,) = [block for block in blocks if "greedy_is_enough" in block]
    scope: dict = {}
    exec(own.replace("print(", "("), scope)
    assert scope["report"].standing is mv.Standing.REFUTED
    (library,) = [block for block in blocks if "agent_values" in block]
    exec(library, {})


def test_every_file_that_the_readme_names_exists():
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)\)", prose):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"`((?:mappo_verify|tests|properties|benchmarks|certificates)/[\w/.]*)`", README):
        assert (ROOT / folder).exists(), folder
