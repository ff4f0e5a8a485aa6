"""The page of an audit, read as a browser reads it: its numbers are the JSON's, its links lead somewhere, it asks nobody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import unicodedata
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import System, like
from mappo_verify.checking.certificate import read_certificate, recheck
from mappo_verify.checking.evaluate import decide
from mappo_verify.checking.sampling import draw, sizes_of
from mappo_verify.errors import FileError
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.report import drawings, html, terminal
from mappo_verify.report.document import full_document
from mappo_verify.report.mathematics import MathematicsError, mathml, pieces

CHECKER = Path(mv.__file__).parent.parent / "certificates"
SHOWN = [
    "lemma-b.4",
    "lemma-b.3/zero-mean",
    "definition-4.4",
    "proposition-4.2",
    "section-4.3/equilibria-are-optimal",
    "monotone-improvement",
]
VOID = {"meta", "link", "br", "hr", "img", "input", "wbr", "path", "line", "rect", "circle", "mspace"}


class Node:
    """An element: its tag, attributes, children (elements and texts)."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children = tag, attributes, []

    def all(self, tag=None, **attributes):
        """The elements below it with this tag and these attributes, in order; ``class_`` means one of its classes."""
        for child in self.children:
            if isinstance(child, Node):
                wanted = {("class" if name == "class_" else name): value for name, value in attributes.items()}
                fits = all(
                    value in (child.attributes.get(name) or "").split()
                    if name == "class"
                    else child.attributes.get(name) == value
                    for name, value in wanted.items()
                )
                if fits and tag in (None, child.tag):
                    yield child
                yield from child.all(tag, **attributes)

    @property
    def text(self):
        """All its text, spaces folded."""
        return " ".join("".join(c if isinstance(c, str) else f"{c.text} " for c in self.children).split())


class Strict(HTMLParser):
    """Every element that opens is closed, in order, and no attribute is given twice."""

    def __init__(self):
        super().__init__()
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), (tag, attributes)
        node = Node(tag, dict(attributes))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Node(tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
            self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def tree(text):
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, parser.open[-1].tag
    return parser.root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("audit") / "new" / "report"
    assert html.write_report(mv.audit(SHOWN), target) == target / "index.html"
    return target


@pytest.fixture(scope="module")
def document(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(folder):
    return tree((folder / "index.html").read_text(encoding="utf-8"))


def test_the_reader_is_strict():
    for wrong in ("<p><b></p></b>", "<p>", '<p id="a" id="b"></p>'):
        with pytest.raises(AssertionError):
            tree(wrong)


# --- the page and the document --------------------------------------------------------------------------------------


def test_the_page_is_made_of_the_document_alone(folder, document):
    assert html.page(document) == (folder / "index.html").read_text(encoding="utf-8")


def test_every_line_shows_the_numbers_of_the_document(page, document):
    for row in document["claims"]:
        (article,) = page.all("article", id=row["id"])
        walk = row["walk_through"]
        assert [node.text for node in article.all("data")] == [
            " ".join(line["value"].split()) for line in walk["lines"]
        ]
        marks = [
            li.attributes["class"] for li in next(article.all("ol", class_="proof")).children if isinstance(li, Node)
        ]
        words = {None: "begins", "yes": "holds", "no": "breaks", "undecided": "undecided"}
        assert marks == [words[line["holds"]] for line in walk["lines"]]
        for line in walk["lines"]:
            if line["off_by"]:
                assert f"Breaks here: this line fails by {line['off_by']}." in article.text
        assert f"{row['instances']:,} decided" in article.text
        shown = [node.text for node in next(article.all("dl", class_="numbers")).all("dd")]
        assert shown == [i["text"] or f"{'×'.join(map(str, i['shape']))} numbers" for i in walk["ingredients"]]
        hypotheses = [
            node.attributes["class"] for lists in article.all("ul", class_="hypotheses") for node in lists.all("li")
        ]
        assert hypotheses == [hypothesis["met"] for hypothesis in walk["hypotheses"]]


def test_the_table_shows_every_standing(page, document):
    (table,) = page.all("table", class_="verdicts")
    rows = list(next(table.all("tbody")).all("tr"))
    assert [next(row.all("a")).text for row in rows] == [row["id"] for row in document["claims"]]
    for shown, row in zip(rows, document["claims"], strict=True):
        standing = next(shown.all("td", class_="standing"))
        assert row["standing"].lower() in standing.text.split()
        refuted = row["standing"] == "REFUTED"
        assert (f"repaired by {row['repaired_by']}" in standing.text) == (refuted and row["repaired_by"] is not None)


def test_statements_come_first(page, document):
    """Every statement with its verdict, what the words mean, and the counts; what is refuted opens the page."""
    (table,) = page.all("table", class_="statements")
    rows = list(next(table.all("tbody")).all("tr"))
    shown = [
        (next(row.all("strong")).text, next(row.all("span", class_="badge")).text.split(" ", 1)[1]) for row in rows
    ]
    assert shown == [(entry["name"], entry["words"]) for entry in document["statements"]]
    counts = {next(p.all("span")).text: int(next(p.all("strong")).text) for p in page.all("p", class_="count")}
    assert counts == document["counts"] and sum(counts.values()) == len(rows)
    for row, entry in zip(rows, document["statements"], strict=True):
        named = {node.attributes["href"][1:] for node in row.all("a")}
        assert named == {*entry["parts"], *entry["fallen"], *entry["repairs"], *entry["remarks"]}
        assert ("defender" in row.text) == bool(entry["fallen"])
    (refuted,) = page.all("ul", class_="refutations")
    assert [next(item.all("a")).text for item in refuted.all("li")] == ["Lemma B.4"]
    assert "Smallest counterexample: 1 state, 2 actions . Repair: lemma-b.4/repaired" in refuted.text
    legend = " ".join(node.text for node in page.all("dl", class_="meanings"))
    assert all(words in legend for words in counts)


def test_how_it_was_decided_quotes_the_line(page, document):
    (article,) = page.all("article", id="lemma-b.4")
    row = next(row for row in document["claims"] if row["id"] == "lemma-b.4")
    before, _, after = row["how"].partition(repr(row["broken"]))
    assert before and after == "" and f"{before}“" in article.text


def test_tightness_is_drawn_with_the_documents_numbers(page, document):
    drawn = [row for row in document["claims"] if row["tightness"]]
    assert drawn and len(list(page.all("svg", class_="plot"))) == len(drawn)
    for row in drawn:
        (plot,) = next(page.all("article", id=row["id"])).all("svg", class_="plot")
        largest = [f"{size['largest']:g}" for size in row["tightness"]]
        assert [node.text for node in plot.all("text") if node.text in largest][-len(largest) :]
        assert f"{max(size['largest'] for size in row['tightness']):g}, at" in next(plot.all("desc")).text
        assert any(plot.all("path", class_="bad")) == any(size["largest"] > 1 for size in row["tightness"])
        assert all(size["median"] <= size["largest"] == max(size["ratios"]) for size in row["tightness"])
        assert row["ratio"] == pytest.approx(max(size["largest"] for size in row["tightness"]), rel=1e-3)


def test_refutations_come_with_a_drawing_a_certificate_and_a_command(folder, page, document):
    refuted = [row for row in document["claims"] if row["standing"] == "REFUTED"]
    assert {row["id"] for row in refuted} >= {"lemma-b.4", "section-4.3/equilibria-are-optimal"}
    for row in refuted:
        (article,) = page.all("article", id=row["id"])
        assert any(article.all("svg", class_="game")) or any(article.all("svg", class_="bars"))
        (download,) = article.all("a", class_="download")
        found = recheck(read_certificate(folder / download.attributes["href"]))
        assert found.valid and row["certificate"] == download.attributes["href"]
        assert (
            f"mappo-verify audit --claim {row['id']} mappo-verify explain {row['id']}"
            in list(article.all("pre"))[-1].text
        )
        assert next(article.all("pre")).text == " ".join(row["latex"].split())
    assert sum(1 for _ in page.all("a", class_="download")) == len(refuted)


def test_the_json_says_more_than_the_table_and_nothing_else(document):
    row = next(row for row in document["claims"] if row["id"] == "lemma-b.4")
    assert row["walk_through"]["verdict"] == "violated" and row["walk_through"]["margin"] == row["margin"] == "-1/2"
    broken = row["walk_through"]["lines"][3]
    assert (broken["holds"], broken["off_by"], broken["value"]) == ("no", "1/2", "1/2  ≈ 0.5")
    diagram = row["walk_through"]["diagram"]
    assert diagram["states"] == ["s0"] and [choice["played"]["policy"] for choice in diagram["choices"]] == [
        "1/2",
        "1/2",
    ]
    assert row["cites"] == [] and row["reproduce"] == "mappo-verify audit --claim lemma-b.4"


# --- links, scripts, strangers --------------------------------------------------------------------------------------


def test_every_link_leads_somewhere(folder, page, document):
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    targets = {node.attributes["href"] for node in page.all("a")}
    assert {"#lemma-b.4", "#lemma-b.4/repaired", "report.json"} <= targets
    targets.remove(document["paper"]["link"])
    for target in targets:
        assert target[1:] in ids if target.startswith("#") else (folder / target).is_file(), target
    for node in page.all():
        for name in ("aria-labelledby", "for"):
            assert node.attributes.get(name, ids[0]) in ids


def test_nothing_is_fetched(folder, page, document):
    text = (folder / "index.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"(?:https?:)?//[a-z]\S*?(?=[\"'\s])", re.sub(r"base64,[\w+/=]+", "", text)))
    assert addresses == {"http://www.w3.org/2000/svg", document["paper"]["link"]}  # one is followed only by a click
    assert not any(set(node.attributes) & {"src", "style", "srcset", "onclick", "action"} for node in page.all())
    assert {m.split(":")[0] for m in re.findall(r"url\(([^)]{0,20})", text)} == {"data"}


def test_the_policy_allows_this_style_and_this_script_alone(page):
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    allowed = policy.attributes["content"]
    assert allowed.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (node,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256("".join(node.children).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in allowed


HOSTILE = "<script>alert(1)</script>"


def hostile_game():
    return mv.Game(
        like([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], System.RATIONALS),
        like([[0, 1], [2, 3]], System.RATIONALS),
        like(1, System.RATIONALS) / 2,
        (2,),
        start=like([1, 0], System.RATIONALS),
        state_names=(HOSTILE, "' onload='x"),
        action_names=((HOSTILE, '"><img src=x>'),),
        name=f"{HOSTILE}&amp;",
    )


def test_names_from_a_file_are_shown_and_not_obeyed(tmp_path):
    game = hostile_game()
    report = mv.audit(["section-3.1", "proposition-4.2"], game=game)
    html.write_report(report, tmp_path, game, f"mappo-verify audit --game '{HOSTILE}'")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    page = tree(text)
    assert len(list(page.all("script"))) == 1 and not any(page.all("img"))
    assert text.count(HOSTILE) == 0 and f"{HOSTILE}&amp;" in page.text
    assert "1 claims say nothing about this game" in page.text or "proposition-4.2" in page.text
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    drawn = drawings.game_diagram(document["claims"][0]["walk_through"]["diagram"])
    assert "<script" not in drawn and "&lt;script&gt;" in drawn and "onload='" not in drawn


def test_a_claim_that_a_game_violates_is_shown_where_it_is_violated():
    game = mv.named_game("climbing")
    report = mv.audit(["lemma-b.3/zero-mean-intervention", "lemma-b.3/zero-mean"], game=game)
    document = full_document(report, game, "mappo-verify audit --game climbing")
    one, other = document["claims"]
    assert report["lemma-b.3/zero-mean-intervention"].violation is not None
    assert one["walk_through"]["verdict"] == "violated" and one["walk_through"]["subject"].endswith("is violated")
    assert other["walk_through"]["verdict"] == "holds" and other["walk_through"]["subject"] == "climbing"
    assert one["reproduce"] == "mappo-verify audit --game climbing --claim lemma-b.3/zero-mean-intervention"
    assert one["witness"] is None


def test_no_claims_at_all(tmp_path):
    html.write_report(mv.audit([]), tmp_path)
    assert "0 statements" in tree((tmp_path / "index.html").read_text(encoding="utf-8")).text


def test_the_commands_of_a_counterexample_work_in_the_folder_of_the_page(folder, document):
    """The checker lies beside the page, whole, and needs nothing of this toolkit."""
    row = next(row for row in document["claims"] if row["id"] == "lemma-b.4")
    command = [sys.executable, "-I", "-S", row["checker"], row["certificate"]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "lemma-b.4 is false" in done.stdout
    files = {f.relative_to(CHECKER).as_posix() for f in CHECKER.rglob("*.py")}
    copied = folder / "certificates"
    assert {f.relative_to(copied).as_posix() for f in copied.rglob("*.py")} == files


def test_no_checker_where_there_is_nothing_to_check(tmp_path):
    html.write_report(mv.audit(["definition-3.2/lipschitz"]), tmp_path)
    assert not list((tmp_path / "certificates").iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="file cannot be written"):
        html.write_report(mv.audit([]), tmp_path / "file")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("Section 4.2, Theorem 4.5", "Section 4"),
        ("Sections 3.2 and 4.1, equation (4)", "Section 3"),
        ("Definition 3.1", "Section 3"),
        ("Appendix B, Lemma B.4", "Appendix B"),
        ("beyond the paper", "Other"),
    ],
)
def test_parts_of_the_paper(source, part):
    assert html.section({"source": source}) == part


# --- mathematics ----------------------------------------------------------------------------------------------------


def drawn_evidence(claim):
    """Evidence of a few instances of every size: nothing is searched for."""
    for sizes in reversed(sizes_of(claim.setting)):
        for _, evidence in decide(claim, draw(claim.setting, sizes, 9, np.random.default_rng(0)), sizes):
            yield evidence


def texts_of(claim):
    """Everything that the page typesets of a claim."""
    evidence = next(evidence for evidence in drawn_evidence(claim) if evidence.lines)
    found = [claim.title, claim.statement, claim.note, *(name for name, _ in evidence.hypotheses)]
    for entry in evidence.lines:
        found += [entry.expression] + ([entry.step.because, str(entry.step.axiom or "")] if entry.step else [])
    return found


def signs(text):
    """The letters, digits and signs of a text, in a canonical order: italics, accents and spaces folded."""
    folded = unicodedata.normalize("NFKD", text).translate(
        str.maketrans({"−": "-", "∗": "*", "∼": "~", "ˆ": "\u0302", "¯": "\u0304"})
    )
    folded = (
        folded.replace("∑", "Σ")
        .replace("∏", "Π")
        .replace("ϕ", "φ")
        .replace("ϵ", "ε")
        .replace("′", "'")
        .replace("∥", "‖")
    )
    folded = (
        folded.replace("∘", "°")
        .replace("∣", "|")
        .replace("⋅", "·")
        .translate({ord("½"): "12", ord("¼"): "14", ord("¾"): "34", ord("⅓"): "13", ord("⅛"): "18"})
        .replace("⁄", "")
        .replace("√", "")
        .replace("\u2061", "")
    )
    return sorted(re.sub(r"[\s{}_^(),.…]|<[^>]*>", "", folded))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_registered_text_is_typeset_sign_by_sign(claim):
    import html as escapes

    for text in texts_of(claim):
        shown = "".join(mathml(piece.text) if piece.kind == "math" else piece.text for piece in pieces(text))
        shown = escapes.unescape(re.sub(r"<[^>]*>", "", shown.replace("&ApplyFunction;", "")))
        assert signs(shown) == signs(text), text


def test_a_sign_that_is_lost_would_be_seen():
    assert signs("Σ_k Δ") != signs("Σ_k δ") and signs("a ≤ b") != signs("a b")


def shown(text):
    return " ".join(
        f"${p.text}$" if p.kind == "math" else f"<{p.text}>" if p.kind == "claim" else p.text for p in pieces(text)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("π(a|s) |A|", r"$\pi (a\mid s) \lvert A\rvert$"),
        ("KL(p‖q) ‖p - q‖₁²", r"$\operatorname{KL}(p\,\Vert\,q) \lVert p - q\rVert _{1}^{2}$"),
        ("√(2N) √T √min x", r"$\sqrt{2N} \sqrt{T} \sqrt{\min x}$"),
        ("a mean of a and b", "a mean of $a$ and $b$"),
        ("mean_k Δ_k", r"$\operatorname{mean}_{k} \Delta _{k}$"),
        ("agents N, ..., m+1 move", r"agents $N, \ldots , m+1$ move"),
        ("V_π'(s') = π'^m", r"$V_{\pi \text{′}}({s\text{′}})$ ${}= {\pi \text{′}}^{m}$"),
        ("see lemma-b.3: Â ∝ ρᵀ", r"see <lemma-b.3>: $\hat{A}$ ${}\propto \rho ^{\mathsf{T}}$"),
        ("(and x)", "(and $x$ )"),
        ("√E_D(f) ± E(w)", r"$\sqrt{\mathcal{E}_{D}(f)} \pm \mathcal{E}(w)$"),
        ("E(w - v)² and E X", r"$\mathbb{E}(w - v)^{2}$ and $\mathbb{E} X$"),
        ("as printed E is small", r"as printed $\mathcal{E}$ is small"),
        ("π(0|s) + 2|A| ≤ .5", r"$\pi (0\mid s)$ ${}+ 2\lvert A\rvert$ ${}\le .5$"),
        ("(Aw)ᵀ Σ⁺ Σ_k ‖w‖_Σ", r"$(A w)^{\mathsf{T}} \Sigma ^{+} \sum_{k} \lVert w\rVert _{\Sigma}$"),
        ("Term I and √ζ_FF", r"Term I and $\sqrt{\zeta _{F F}}$"),
        ("the π-average", r"the $\pi$ -average"),
        ("10⁶ and 1,000", r"$10^{6}$ and $1{,}000$"),
    ],
)
def test_how_texts_are_read(text, expected):
    assert re.sub(r"\s+", "", shown(text).replace(r"\,", "")) == re.sub(r"\s+", "", expected.replace(r"\,", ""))


@pytest.mark.parametrize("text", ["f(open", "x^", "x_;", "☃", "|x", "²", "a ) b"])
def test_what_is_not_understood_is_refused_and_shown_as_typed(text):
    with pytest.raises(MathematicsError, match="is not understood"):
        pieces(text)
    assert html.rich(text) == f"<code>{text}</code>"


def test_a_line_may_break_before_a_relation_and_in_a_long_bracket():
    assert len(pieces("a + b ≤ c = d")) == 4 and len(pieces("f(a + b)")) == 1
    assert len(pieces(f"[{' + '.join('abcdefghijklmnopqrstuvw')}]")) > 1


def test_a_stop_keeps_to_its_formula():
    assert html.rich("x = 1, and").endswith('<span class="tied">' + mathml("{}=  1") + ",</span> and")
    assert html.rich("a < b") == mathml("a") + mathml("{}<  b") and "&lt;" in html.rich("a < b")


# --- fonts ----------------------------------------------------------------------------------------------------------


def font(name):
    from fontTools.ttLib import TTFont

    with files("mappo_verify.report").joinpath("fonts", html.FONTS[name]).open("rb") as file:
        return TTFont(file, lazy=False)


def test_the_fonts_are_small_and_their_licence_is_beside_them():
    folder = files("mappo_verify.report").joinpath("fonts")
    assert sum(len(folder.joinpath(name).read_bytes()) for name in html.FONTS.values()) < 200_000
    assert "GUST Font License" in folder.joinpath("LICENSE.txt").read_text("utf-8")


def test_the_radical_grows_and_brackets_stretch():
    pytest.importorskip("fontTools")
    math = font("math")
    constants, variants = math["MATH"].table.MathConstants, math["MATH"].table.MathVariants
    assert constants.RadicalRuleThickness.Value > 0
    grown = dict(zip(variants.VertGlyphCoverage.glyphs, variants.VertGlyphConstruction, strict=True))
    outlines = math.getGlyphSet()
    for sign in "√∑(⟨|":
        sizes = grown[math.getBestCmap()[ord(sign)]].MathGlyphVariantRecord
        heights = [record.AdvanceMeasurement for record in sizes]
        assert len(sizes) > 1 and all(small < large for small, large in pairwise(heights)), sign
        assert all(record.VariantGlyph in outlines for record in sizes)


def test_every_sign_of_every_formula_is_in_the_font():
    pytest.importorskip("fontTools")
    known = set(font("math").getBestCmap())
    used: set[str] = set()
    for claim in CLAIMS:
        for text in (claim.statement, claim.title, claim.note):
            for piece in pieces(text):
                if piece.kind == "math":
                    math = mathml(piece.text).replace("&ApplyFunction;", "").replace("&lt;", "<").replace("&gt;", ">")
                    math = re.sub(r"<mtext>[^<]*</mtext>", "", math)
                    used |= set(re.sub(r"<mi>(.)</mi>", lambda m: italic(m[1]), math))
    assert used and not {sign for sign in used if ord(sign) not in known}


def italic(letter):
    """What a browser shows for ``<mi>`` with one letter."""
    for low, start in (("a", 0x1D44E), ("A", 0x1D434), ("α", 0x1D6FC), ("Α", 0x1D6E2)):
        if ord(low) <= ord(letter) < ord(low) + 26 and letter.isalpha():
            return "ℎ" if letter == "h" else chr(start + ord(letter) - ord(low))
    return letter


# --- drawings -------------------------------------------------------------------------------------------------------


def claim_row(name, *cites, standing="SURVIVED", tainted_by=()):
    return {"id": name, "cites": list(cites), "standing": standing, "tainted_by": list(tainted_by)}


def test_the_graph_parts_lines_that_a_refutation_breaks():
    rows = [
        claim_row("b", "a", tainted_by=["a"]),
        claim_row("a", standing="REFUTED"),
        claim_row("c", "b", "a"),
        claim_row("alone"),
    ]
    graph = tree(drawings.proof_graph(rows))
    assert [node.attributes["href"] for node in graph.all("a")] == ["#a", "#b", "#c"]
    assert "b leans on a (refuted)" in graph.text and "c leans on b" in graph.text
    assert len(list(graph.all("path", class_="bad"))) == 3  # one goes round b, in two curves
    x = {node.attributes["href"]: float(next(node.all("rect")).attributes["x"]) for node in graph.all("a")}
    assert x["#a"] < x["#b"] < x["#c"]
    assert "tainted" in next(next(graph.all("a", href="#b")).all("rect")).attributes["class"]


def test_reasons_in_a_circle_are_drawn_all_the_same():
    graph = drawings.proof_graph([claim_row("a", "b"), claim_row("b", "a")])
    assert graph is not None and graph.count("<a ") == 2
    assert drawings.proof_graph([claim_row("a"), claim_row("b")]) is None


def size(largest, ratios):
    return {
        "states": 1,
        "action_sizes": [2],
        "steps": 1,
        "instances": len(ratios),
        "median": ratios[0],
        "largest": largest,
        "ratios": ratios,
    }


def test_crosses_lie_beyond_one_and_dots_before():
    plot = tree(drawings.tightness_plot([size(100.0, [-3.0, 0.5, 1.0, 10.0, 100.0])]))
    held, broken = plot.all("path", class_="dots")
    assert held.attributes["d"].count("M") == 3 and broken.attributes["d"].count("M") == 2
    one = next(node for node in plot.all("line", class_="limit")).attributes["x1"]
    xs = [int(x) for x in re.findall(r"M(\d+)", held.attributes["d"])]
    assert max(xs) <= round(float(one)) and min(xs) == drawings.LABELS
    assert not any(tree(drawings.tightness_plot([size(0.5, [0.5])])).all("path", class_="bad"))


def ingredient(name, shape, floats):
    return {"name": name, "shape": shape, "entries": [str(f) for f in floats], "floats": floats}


def test_bars_show_tables_and_runs():
    bars = tree(drawings.number_bars([ingredient("f", [2], [1.0, -2.0]), ingredient("one", [], [3.0])]))
    assert len(list(bars.all("rect"))) == 2 and "f: 1.0, -2.0." in bars.text and "one" not in bars.text
    run = tree(drawings.number_bars([ingredient("u", [20, 1, 2], [float(k) for k in range(40)])]))
    assert "u, action 0" in run.text and "u, action 1" in run.text and "19" in run.text
    assert drawings.number_bars([ingredient("one", [], [3.0])]) is None
    assert (
        drawings.number_bars([ingredient("long", [100], [1.0] * 100), ingredient("far", [100, 2], [1.0] * 200)]) is None
    )


def samples(pairs, bound):
    design = {"design": "coin", "n": [10, 100], "quantile_of_left": pairs, "bound": bound}
    return {"delta": 0.1, "designs": [design | {"slope_of_left": [-1.1, -0.9], "slope_of_bound": -1.0}]}


def test_samples_are_plotted_on_two_logarithmic_axes():
    plot = tree(drawings.samples_plot(samples([[0.1, 1.0], [0.01, 0.1]], [10.0, 1.0])))
    assert "coin: [0.1, 1] at n = 10, [0.01, 0.1] at n = 100; slope in [-1.1, -0.9], that of the bound -1." in plot.text
    first, *_, second = (
        node.attributes
        for node in plot.all("line", class_="interval")
        if node.attributes["x1"] == node.attributes["x2"]
    )
    (rate,) = (node.attributes for node in plot.all("line", class_="rate"))
    for end, stem in (("1", first), ("2", second)):  # through the middles: they fall like the bound
        assert float(rate[f"y{end}"]) == pytest.approx((float(stem["y1"]) + float(stem["y2"])) / 2, abs=0.11)
    open_ended = tree(drawings.samples_plot(samples([[None, 1.0], [0.01, None]], [10.0, 1.0])))
    assert "[-∞, 1]" in open_ended.text and not any(open_ended.all("line", class_="rate"))
    assert drawings.samples_plot(samples([[0.0, 0.0], [0.0, 0.0]], [1.0, 1.0])) is None


def test_a_game_that_follows_from_the_case_is_drawn():
    (row,) = full_document(mv.audit(["theorem-d.7/any-constant"]))["claims"]
    assert row["walk_through"]["diagram"]["states"] == ["s", "x", "y", "end"]
    assert [entry["name"] for entry in row["walk_through"]["ingredients"]][:3] == ["P(s'|s,a)", "r(s,a)", "γ"]


def test_samples_are_shown(tmp_path):
    html.write_report(mv.audit(["lemma-c.1"]), tmp_path)
    page = tree((tmp_path / "index.html").read_text(encoding="utf-8"))
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["claims"][0]["statistics"]
    table, *_ = page.all("table", class_="samples")  # the other is lemma-c.1/explicit
    assert len(list(table.all("tr"))) == 1 + sum(len(design["n"]) for design in found["designs"])
    for design in found["designs"]:
        assert all(drawings.interval(pair) in table.text for pair in design["quantile_of_ratio"])
    article, *_ = page.all("article")
    assert "Monte Carlo" in article.text and "24,000 drawn" in article.text


def test_a_game_is_told_in_words():
    choice = {
        "state": 0,
        "action": "0",
        "reward": "≈ 2",
        "played": {"π": "1"},
        "next": [{"state": 0, "probability": "1/2", "share": 0.5}],
        "ends": True,
    }
    drawn = tree(drawings.game_diagram({"states": ["s0"], "discount": "1/2", "choices": [choice]}))
    assert "In s0, action 0: reward ≈ 2, π plays it with 1; then s0 with probability 1/2 or the end." in drawn.text
    assert "r ≈ 2" in drawn.text and "end" in drawn.text.split()


def test_every_standing_can_be_shown():
    names = {standing.value for standing in mv.Standing}
    assert set(html.MEANINGS) == set(drawings.ICONS) == names and set(terminal.STANDING_STYLE) == set(mv.Standing)
    style = files("mappo_verify.report").joinpath("templates", "report.css").read_text("utf-8")
    assert all(f".badge.{name.lower()}" in style and f".icon.{name.lower()}" in style for name in names)
