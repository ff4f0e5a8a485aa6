"""The page in a real browser: no error, no request, no barrier, nothing cut off, at any width, on screen and on paper."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import mappo_verify as mv
from mappo_verify.report.html import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives Chromium, is not installed")

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
]
SHOWN = [
    "lemma-b.4",
    "lemma-c.1",
    "theorem-d.7/any-constant",
    "definition-4.4",
    "theorem-4.5/repaired",
    "section-4.3/equilibria-are-optimal",
]
WIDTHS = (360, 768, 1600)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    game = mv.named_game("climbing")
    folder = tmp_path_factory.mktemp("pages")
    write_report(mv.audit(SHOWN, seconds=3), folder / "audit")  # what a page shows needs no long search
    write_report(
        mv.audit(["lemma-b.3/zero-mean-intervention", "lemma-4.1", "lemma-b.6"], game=game), folder / "game", game
    )
    return lambda name="audit": (folder / name / "index.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    # a container's root user has no sandbox to offer
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET + alone)
        yield found
        found.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page; whatever it complains about or asks for is collected in ``page.complaints`` and ``page.requests``."""
    contexts = []

    def opened(name="audit", width=1280, scheme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address(name))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["audit", "game"])
def test_it_loads_without_complaint_and_asks_for_nothing(open_page, address, name):
    page = open_page(name)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [address(name)]


def test_a_complaint_would_be_seen(open_page):
    page = open_page()
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "1";
        document.body.append(script);
    }""")
    assert any("Content Security Policy" in text for text in page.complaints)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["audit", "game"])
def test_it_is_accessible(open_page, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = open_page(name, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    found = axe.Axe().run(page).response
    assert found["passes"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found["violations"]] == []


def test_axe_sees_a_planted_barrier(open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = open_page()
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert {violation["id"] for violation in axe.Axe().run(page).response["violations"]} == {"color-contrast"}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    hidden = page.evaluate("""() => [...document.querySelectorAll("td math, .claimed math, .value data")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth)
        .filter((one) => !one.closest(".expression, .claimed, .statement, .scroll"))
        .map((one) => one.textContent)""")
    assert hidden == []


def test_formulas_are_set_in_the_mathematics_font(open_page):
    page = open_page()
    assert page.evaluate(
        "document.fonts.check('16px \"Report Math\"') && document.fonts.check('bold 16px \"Report Text\"')"
    )
    sizes = page.evaluate("""() => [...document.querySelectorAll("math")].filter((m) => m.checkVisibility())
        .map((m) => m.getBoundingClientRect()).map((box) => [box.width, box.height])""")
    assert len(sizes) > 100 and all(width > 0 and height > 0 for width, height in sizes)


def test_a_radical_covers_what_stands_under_it(open_page):
    page = open_page()
    roots = page.evaluate("""() => [...document.querySelectorAll("msqrt")].filter((m) => m.checkVisibility())
        .map((root) => [root.getBoundingClientRect(), ...[...root.children].map((child) => child.getBoundingClientRect())])
        .map((boxes) => boxes.map((box) => [box.left, box.top]))""")
    assert roots
    for (left, top), *inner in roots:
        assert all(left + 2 < x and top <= y for x, y in inner)  # the sign stands on the left, the bar above


def test_the_table_is_filtered_and_sorted(open_page):
    page = open_page()
    rows = page.locator(".verdicts tbody tr")
    total = rows.count()
    names = page.locator(".verdicts tbody tr:visible .id")
    page.select_option("select[name=standing]", "refuted")
    refuted = names.all_inner_texts()
    assert 0 < len(refuted) < total and "lemma-b.4" in refuted
    assert page.inner_text(".filters output") == f"{len(refuted)} of {total} claims"
    page.fill("input[name=words]", "nash equilibrium")
    assert names.all_inner_texts() == ["section-4.3/equilibria-are-optimal"]
    page.fill("input[name=words]", "")
    page.select_option("select[name=standing]", "")
    page.select_option("select[name=section]", "Appendix B")
    page.check("input[name=printed]")
    shown = names.all_inner_texts()
    assert (
        "lemma-b.4" in shown and "lemma-b.4/repaired" not in shown and all(name.startswith("lemma-b") for name in shown)
    )
    page.uncheck("input[name=printed]")
    page.select_option("select[name=section]", "")
    before = names.all_inner_texts()
    page.click("th button >> text=Standing")
    assert "refuted" in page.locator(".verdicts tbody tr").first.inner_text()
    page.click("th button >> text=Claim")
    assert names.all_inner_texts() == before
    page.click("th button >> text=Claim")
    assert names.all_inner_texts() == before[::-1]
    assert page.complaints == []


def test_it_is_complete_without_scripts(open_page):
    with_script, without = open_page(), open_page(script=False)
    assert not without.is_visible(".filters") and with_script.is_visible(".filters")
    articles = [page.locator("article").all_inner_texts() for page in (with_script, without)]
    assert articles[0] == articles[1] and len(articles[0]) == without.locator(".verdicts tbody tr").count()


def test_links_lead_to_the_claim(open_page):
    page = open_page()
    page.click(".verdicts a.id >> text=lemma-b.4/repaired")
    assert page.url.endswith("#lemma-b.4/repaired")
    assert page.evaluate("document.querySelector('article:target').id") == "lemma-b.4/repaired"
    top = page.evaluate("document.querySelector('article:target').getBoundingClientRect().top")
    assert -1 <= top < 100


def test_it_prints(open_page, tmp_path):
    page = open_page(script=False, scheme="dark")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    assert Path(tmp_path / "page.pdf").read_bytes().count(b"/Type /Page\n") > 5
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    folded = page.evaluate(
        "[...document.querySelectorAll('details.instance dl')].map((one) => one.getBoundingClientRect().height)"
    )
    assert folded and all(folded)
