"""Documents are generated, and current: the README's table, the map of the paper, every command that the README shows."""

import re
from collections import Counter
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

import mappo_verify as mv
from mappo_verify.checking.statements import Finding, counted, finding_of
from mappo_verify.papers.registry import CLAIMS, PAPERS
from write_documents import (
    _cell,
    _certificates,
    certificates_markdown,
    first_screen,
    paper_map,
    side_text,
    verdicts,
    with_audit,
    with_certificates,
)

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
VERDICTS = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
(PAPER,) = PAPERS
CERTIFICATE_FILES = _certificates(ROOT)
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


def words_by_record(statement):
    """What the law says of a statement by the recorded standings of its parts."""
    return finding_of((c.kind, c.record) for c in CLAIMS if c.parent == statement.id).value


def test_the_page_of_verdicts_shows_every_statement_and_claim():
    """tests/test_audit.py checks that the audit finds these standings anew; here the page must agree with them."""
    table, parts = VERDICTS.split("## The parts")
    shown = re.findall(r"^\| (.+?) \| .+? \| \*\*(.+?)\*\* \|$", table, re.MULTILINE)
    assert [name for name, _ in shown] == [s.name for s in PAPER.statements]
    for (_, words), statement in zip(shown, PAPER.statements, strict=True):
        assert words.startswith(words_by_record(statement)), statement.id
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| \*\*([A-Z]+)\*\* \|", parts, re.MULTILINE)
    assert rows == [(claim.id, claim.kind.value, claim.record.value) for claim in CLAIMS]


def test_the_first_screen_says_which_theorems_fall():
    screen = README.split(BEGIN)[1].split(END)[0]
    theorems = [s for s in PAPER.statements if s.id.startswith("theorem")]
    refuted = [s for s in theorems if words_by_record(s) == "false as printed"]
    assert re.findall(r"^- \*\*(.+?) is false as printed\*\*", screen, re.MULTILINE) == [s.name for s in refuted]
    assert "multiplies the odds of two actions by more than 79.9" in screen
    (output,) = re.findall(r"```text\n(.*?)```", screen, re.DOTALL)
    counts = Counter(words_by_record(s) for s in PAPER.statements)
    for words, count in counts.items():
        assert counted(count, Finding(words)) in " ".join(output.split())
    assert "nothing unexpected" in output and output.count("\n") <= 14
    assert README.index(END) < 5_000


def test_the_pages_come_from_the_report():
    report = mv.audit(["theorem-d.7/any-constant", "definition-3.2/lipschitz"])
    text = with_audit(f"before\n{BEGIN}\nold\n{END}\nafter", report, CERTIFICATE_FILES)
    assert text == f"before\n{BEGIN}\n{first_screen(report, CERTIFICATE_FILES)}\n{END}\nafter"
    assert "**Theorem D.7 is false as printed**" in text and "(certificates/theorem-d.7" in text
    assert "| Theorem D.7 | Global convergence with general function approximation | **false as printed" in verdicts(
        report
    )
    with pytest.raises(ValueError, match="marks"):
        with_audit("no marks", report, CERTIFICATE_FILES)


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
