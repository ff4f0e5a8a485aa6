"""Documents are generated, and current: the README's table, the map of the paper, every command that the README shows."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import mappo_verify as mv
from mappo_verify.papers.registry import CLAIMS
from write_documents import (
    _cell,
    audit_markdown,
    certificates_markdown,
    paper_map,
    side_text,
    with_audit,
    with_certificates,
)

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BEGIN, END = "<!-- audit: begin -->", "<!-- audit: end -->"
CERTIFICATES = ROOT / "certificates"


def test_the_paper_map_is_current():
    """``python scripts/write_documents.py`` rewrites it."""
    assert (ROOT / "docs" / "paper-map.md").read_text(encoding="utf-8") == paper_map()


SHOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(cell: str) -> str:
    """What a reader sees of a cell; a mark where Markdown made something of the characters."""
    (inline,) = [t for t in SHOWN.parse(f"| head |\n| --- |\n| {cell} |\n") if t.type == "inline"][1:]
    return "".join(t.content if t.type in ("text", "text_special") else f"<<{t.type}>>" for t in inline.children)


EATEN = (
    r"π_* and V_* | *all* of _it_, a~b ~~c~~ d ~e~ `f` <b> [g](h) \* \\ end",
    "x * y * z",
    "‖f‖_{2,μ} ≤ ‖g‖_{2,μ}",
    "1 < 2 [a, b) V_π",
)


@pytest.mark.parametrize("text", EATEN)
def test_a_cell_shows_every_character(text):
    assert shown(_cell(text)) == text


def test_nothing_that_the_registry_says_is_eaten():
    texts = [t for c in CLAIMS for t in (c.title, c.source, c.statement, c.note, c.setting.name) if t]
    assert [shown(_cell(text)) for text in texts] == [" ".join(text.split()) for text in texts]
    assert any(shown(text.replace("|", "\\|")) != " ".join(text.split()) for text in texts)  # so it is needed


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


def test_the_table_of_certificates_is_current():
    """``python scripts/write_documents.py`` rewrites it."""
    readme = (CERTIFICATES / "README.md").read_text(encoding="utf-8")
    assert readme == with_certificates(readme, CERTIFICATES)


def test_the_table_of_certificates_shows_every_file_with_its_sides(tmp_path):
    """Every file that is there has its row, and another side in a file is another side in the table."""
    names = re.findall(r"^\| `([^`]+)` \|", certificates_markdown(CERTIFICATES), re.MULTILINE)
    assert sorted(names) == sorted(path.stem for path in CERTIFICATES.glob("*.json"))
    for path in CERTIFICATES.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    row = next(line for line in certificates_markdown(CERTIFICATES).splitlines() if line.startswith("| `lemma-b.4` |"))
    assert row.endswith("| 1 | ≤ | 1/2 |") and row in certificates_markdown(tmp_path)
    other = (tmp_path / "lemma-b.4.json").read_text(encoding="utf-8").replace('"1/2"', '"1/3"')
    (tmp_path / "lemma-b.4.json").write_text(other, encoding="utf-8")
    assert row.replace("1/2", "1/3") in certificates_markdown(tmp_path)


def test_sides_of_certificates_as_text():
    assert side_text("-3/4") == "-3/4"
    assert side_text(("0.48181234567890123456", "0.48181234567890123458")) == "0.4818..."
    assert side_text(("-12.00009999999999999999", "-12.00009999999999999997")) == "-12.0000..."


def test_the_lemma_of_the_readme_is_refuted():
    """The example of one's own lemma works as printed."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (own,) = [block for block in blocks if "greedy_is_enough" in block]
    scope: dict = {}
    exec(own.replace("print(", "("), scope)
    assert scope["report"].standing is mv.Standing.REFUTED
    (library,) = [block for block in blocks if "agent_values" in block]
    exec(library, scope := {})
    terms = mv.return_difference(scope["game"], scope["new"], scope["old"])
    assert f"contributes: [{', '.join(map(str, terms))}]" in library
    assert (
        mv.check("lemma-4.1", game=scope["game"], target=scope["new"], policy=scope["old"]).verdict is mv.Verdict.HOLDS
    )


def test_every_file_that_the_readme_names_exists():
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)\)", prose):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"`((?:mappo_verify|tests|properties|benchmarks|certificates)/[\w/.]*)`", README):
        assert (ROOT / folder).exists(), folder
