"""Claims of a file of one's own at the terminal: every command with ``--from``, end to end."""

import json
import re
import sys

import pytest
from typer.testing import CliRunner

import mappo_verify as mv
from mappo_verify.cli import app
from mappo_verify.cli.own import chosen, claim_named, claims_from
from mappo_verify.errors import ClaimError, FileError

MINE = """
import mappo_verify as mv
from neighbour import below

X = mv.Setting("a number", (mv.Table("x", lambda _: ()),), agents=(1, 1), states=(1, 1), action_range=(1, 1))


def slip(case):
    yield mv.line("x", case.x)
    yield mv.at_most("|x| - 1", abs(case.x) - 1, because="a slip")
    yield mv.at_most("|x|", abs(case.x), because="one is positive")


def leans(case):
    yield mv.line("x", case.x)
    yield mv.at_most("x + 1", case.x + 1, because="below/zero")


CLAIMS = (
    mv.Claim("below/zero", "x is at most 0", "a wish", X, below),
    mv.Claim("slip", "x ≤ |x|", "school", X, slip),
    mv.Claim("leans", "x ≤ x + 1", "school", X, leans),
)
"""
NEIGHBOUR = """
import mappo_verify as mv


def below(case):
    yield mv.line("x", case.x)
    yield mv.at_most("0", 0, because="I wish")
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "neighbour.py").write_text(NEIGHBOUR, "utf-8")
    (folder / "mine.py").write_text(MINE, "utf-8")
    return folder / "mine.py"


def run(*arguments):
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, " ".join(found.output.split())


def test_audit_and_its_page(mine):
    folder = mine.parent / "report"
    code, said = run("audit", "--from", mine, "--html", folder)
    assert code == 1  # a line breaks
    assert "line 2 of the proof is broken: ≤ |x| - 1 (a slip)" in said
    assert "3 statements: 1 false, 2 not refuted" in said and "as printed" not in said
    assert "leans leans on a refuted claim: below/zero" in said
    page = (folder / "index.html").read_text("utf-8")
    assert f"mappo-verify certify certificates/below-zero.json --from {mine}" in page
    assert f"mappo-verify explain slip --from {mine}" in page and "line 2 of the proof is broken" in page
    shown = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "check.py" not in shown and "as printed" not in shown and not re.search(r"\bthe paper\b", shown)
    assert re.search(r"<dt>Searched</dt><dd>[0-9,]+ instances drawn", page)
    rows = {row["id"]: row for row in json.loads((folder / "report.json").read_text("utf-8"))["claims"]}
    assert rows["slip"]["broken_line"]["line"] == 2 and rows["below/zero"]["tainted_by"] == []
    assert "x" in rows["slip"]["broken_line"]["coordinates"] and rows["leans"]["tainted_by"] == ["below/zero"]


def test_beside_claims_of_the_paper(mine):
    """Each is spoken of as what it is: commands, words, and the paper by its name."""
    folder = mine.parent / "mixed"
    chosen_ids = [getattr(entry, "id", entry) for entry in chosen(["lemma-b.4/factor-two"], mine)]
    assert chosen_ids == ["below/zero", "slip", "leans", "lemma-b.4/factor-two"]
    _, said = run("audit", "--from", mine, "-c", "below/zero", "-c", "lemma-b.4", "--html", folder)
    assert "2 statements: 2 false" in said and "without this toolkit" not in said
    page = (folder / "index.html").read_text("utf-8")
    assert f"mappo-verify certify certificates/below-zero.json --from {mine}" in page
    assert f"explain below/zero --from {mine}" in page and "mappo-verify explain lemma-b.4\n" in page
    assert (
        "python3 certificates/check.py certificates/lemma-b.4.json" in page
        and (folder / "certificates/check.py").exists()
    )
    assert "Beside claims of one’s own some of" in page and "certificates/check.py certificates/below" not in page
    code, said = run("certify", folder / "certificates/lemma-b.4.json", "--from", mine)
    assert code == 0 and "certified" in said
    assert claim_named("lemma-b.4", mine).id == "lemma-b.4"


def test_falsify_and_explain(mine):
    code, said = run("falsify", "slip", "--from", mine)
    assert code == 1 and "not refuted, but line 2 of the proof is broken" in said and "✗ broken here" in said
    code, said = run("explain", "below/zero", "--from", mine)
    assert code == 0 and "the smallest counterexample" in said and "x = 1" in said
    code, said = run("explain", "slip", "--from", mine)
    assert code == 0 and "an instance on which line 2 of the proof breaks" in said


def test_details_say_what_was_searched(mine):
    _, said = run("audit", "--from", mine, "-c", "leans", "--details")
    found = mv.audit([claim_named("leans", mine)])["leans"].searched
    flat = " ".join(said.split())
    assert found.as_data()["text"] == found.text()
    assert f"searched: {found.drawn:,} instances drawn" in flat and f"{found.certified:,} certified" in flat


def test_tightness(mine):
    code, said = run("tightness", "slip", "--from", mine, "--seconds", "3")
    assert code == 0 and "slip: smaller side / larger side = 1 at" in said
    code, said = run("tightness", "below/zero", "--from", mine)
    assert code == 1 and f"mappo-verify falsify below/zero --from {mine}" in said


def test_certificates(mine):
    file = mine.parent / "false.json"
    assert run("certificate", "below/zero", "--from", mine, "--out", file)[0] == 0
    code, said = run("certify", file, "--from", mine)
    assert code == 0 and "below/zero is false: certified" in said and "kind: as its author states it" in said
    code, said = run("certify", file)
    assert code == 1 and "certify --from FILE" in said


def test_claims_of_a_file(mine):
    _, said = run("claims", "--from", mine)
    assert "below/zero" in said and "lemma-4.1" not in said and "the paper" not in said
    assert [entry.id for entry in chosen(["below", "leans"], mine)] == ["below/zero", "leans"]
    assert chosen(None, None) is None and chosen(["lemma-4.1"], None) == ["lemma-4.1"]
    assert claim_named("lemma-4.1", None).id == "lemma-4.1" and str(mine.parent) not in sys.path


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\n", "has no claim at its top level"),
        ("CLAIMS = 3\n", "CLAIMS is no list of claims"),
        ("CLAIMS = (1,)\n", "CLAIMS is no list of claims"),
        ("x = 1\n1 / 0\n", r"line 2: ZeroDivisionError"),
        (MINE.replace('"slip", "x', '"below/zero", "x'), "two claims are called 'below/zero'"),
        (MINE.replace('"slip", "x', '"lemma-4.1", "x'), "is the id of a claim of the paper"),
    ],
)
def test_files_that_will_not_do(mine, text, complaint):
    other = mine.with_name("other.py")
    other.write_text(text, "utf-8")
    with pytest.raises((FileError, ClaimError), match=complaint):
        claims_from(other)


def test_names_that_are_not_there(mine):
    for search in (lambda: claim_named("lemma-4", mine), lambda: chosen(["lemma-4"], mine)):
        with pytest.raises(ClaimError, match="it has below/zero, slip, leans"):
            search()
    for name in ("nowhere.py", "mine.txt"):
        path = mine.with_name(name)
        if name.endswith("txt"):
            path.write_text(MINE, "utf-8")
        with pytest.raises(FileError, match=r"is no file|must end in \.py"):
            claims_from(path)


def test_what_notebooks_show(mine):
    false, slip, _ = claims_from(mine)
    report = mv.audit([false, slip])
    lines = str(report).splitlines()
    assert lines[0].split()[:3] == ["claim", "standing", "instances"] and max(map(len, lines)) <= 80
    assert "<td>below/zero</td><td>REFUTED</td>" in report._repr_html_() and repr(report).startswith(
        "AuditReport(2 claims"
    )
    assert "✗ broken here: a slip" in report["slip"]._repr_html_() and "I wish" in report["below/zero"]._repr_html_()
    assert repr(report["slip"]).startswith("ClaimReport(slip: SURVIVED")
    assert "✗ broken here: I wish" in mv.falsify(false)._repr_html_()
    game = mv.named_game("climbing")
    assert (
        game._repr_html_().count("<tr>") == 1 + 9 and "<td>0, 1</td><td>-30</td><td>the end</td>" in game._repr_html_()
    )
    assert "[1/3, 1/3, 1/3]" in mv.Policy.uniform(game)._repr_html_()
    _, evidence, subject = mv.explain(false)
    assert evidence.violated and "smallest counterexample" in subject
