"""The rendered page, in a real browser without a network."""

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from conftest import HOSTILE, ROOT
from pdf import find_browser, print_page
from render import render

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs requirements-test.txt"
)
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
WIDTHS = (360, 768, 1440)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    if not path:
        why = "no Chromium or Chrome is installed (apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu",
                  "--disable-background-networking"],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """The committed notebook, rendered; code hosts show the same outputs."""
    path = tmp_path_factory.mktemp("committed") / "page.html"
    notebook = nbformat.read(ROOT / "assignment7.ipynb", as_version=4)
    path.write_text(render(notebook), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["committed", "hostile"])
def page_path(request):
    if request.param == "committed":
        return request.getfixturevalue("committed")
    return request.getfixturevalue("run")[0] / "assignment7.html"


@pytest.fixture
def open_page(browser):
    """Return a function that opens a file and notes what goes wrong."""
    contexts = []

    def open_file(path, width=1440, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, **options
        )
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        seen = SimpleNamespace(requests=[], errors=[])
        page.on("request", lambda r: seen.requests.append(r.url[:99]))
        page.on("requestfailed", lambda r: seen.errors.append(r.url[:99]))
        page.on("console", lambda m: seen.errors.append(m.text))
        page.on("pageerror", lambda e: seen.errors.append(str(e)))
        page.on("dialog", lambda d: (seen.errors.append("alert"), d.accept()))
        page.goto(path.as_uri(), wait_until="load")
        return page, seen

    yield open_file
    for context in contexts:
        context.close()


def test_page_needs_nothing_but_itself(open_page, page_path):
    page, seen = open_page(page_path)
    outside = [u for u in seen.requests if not u.startswith("data:")]
    assert outside == [page_path.as_uri()]
    assert seen.errors == []
    assert page.evaluate("document.scripts.length") == 0
    assert page.title().startswith("Assignment 7")


def test_every_figure_has_its_own_text_and_a_caption(open_page, page_path):
    page, _ = open_page(page_path)
    found = page.eval_on_selector_all(
        "img",
        """images => images.map(i => [i.alt, i.naturalWidth / i.width,
             i.closest("figure").querySelector("figcaption").innerText])""",
    )
    assert len(found) == 10
    alts = [alt for alt, *_ in found]
    assert len(set(alts)) == 10
    for alt, resolution, caption in found:
        assert len(alt) > 60
        assert re.search(r"\d\.\d", alt), alt  # says what the data say
        assert resolution >= 1.9
        assert len(caption) > 40
        assert caption not in alt


def test_every_link_inside_leads_somewhere(open_page, page_path):
    page, _ = open_page(page_path)
    links = page.eval_on_selector_all(
        "a[href^='#']", "links => links.map(a => decodeURIComponent(a.hash))"
    )
    ids = set(page.eval_on_selector_all("[id]", "all => all.map(e => e.id)"))
    assert len(links) > 25
    assert {link[1:] for link in links} <= ids
    page.click("nav a >> nth=7")
    page.wait_for_function("scrollY > 1000")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(open_page, page_path, width):
    page, _ = open_page(page_path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(e =>
             e.getBoundingClientRect().right > innerWidth + 1 &&
             !e.closest("pre, .table")).map(e => e.outerHTML.slice(0, 99))"""
    )
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_page_is_accessible(open_page, page_path, width, scheme):
    page, _ = open_page(page_path, width, color_scheme=scheme)
    rules = {"runOnly": {"type": "tag", "values": WCAG}}
    found = axe_playwright.Axe().run(page, options=rules)
    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 10  # it looked


def test_accessibility_test_sees_a_missing_text(open_page, committed):
    page, _ = open_page(committed)
    page.eval_on_selector("img", "image => image.removeAttribute('alt')")
    rules = {"runOnly": {"type": "tag", "values": WCAG}}
    found = axe_playwright.Axe().run(page, options=rules)
    assert [v["id"] for v in found.response["violations"]] == ["image-alt"]


def test_tables_say_what_their_headers_head(open_page, page_path):
    page, _ = open_page(page_path)
    bare = page.eval_on_selector_all(
        "table", "all => all.filter(t => !t.querySelector('thead th')).length"
    )
    assert bare == 0
    assert page.eval_on_selector_all("th:not([scope])", "a => a.length") == 0


def test_names_out_of_the_data_are_text(open_page, run):
    page, seen = open_page(run[0] / "assignment7.html")
    text = page.inner_text("main")
    for name in HOSTILE.values():
        assert name in text
    assert seen.errors == []
    assert page.eval_on_selector_all("main script", "a => a.length") == 0


def test_code_can_be_hidden_and_shown(open_page, committed):
    page, _ = open_page(committed)
    code = page.locator(".code:visible")
    assert code.count() > 50
    page.check("#fold")
    assert code.count() == 0
    assert page.locator("figure:visible").count() == 10
    page.uncheck("#fold")
    page.locator(".code > summary >> nth=0").click()
    assert page.locator(".code pre >> nth=0").is_visible()


def test_print_shows_all_code_and_clips_none(open_page, committed):
    page, _ = open_page(committed, width=680)  # A4 within its margins
    page.check("#fold")  # what the screen hides is printed all the same
    page.emulate_media(media="print")
    hidden = page.eval_on_selector_all(
        ".code pre", "all => all.filter(e => !e.offsetHeight).length"
    )
    assert hidden == 0
    clipped = page.eval_on_selector_all(
        "pre, .table, img",
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length",
    )
    assert clipped == 0
    assert not page.is_visible("nav")


def test_page_prints_to_a_pdf(browser, committed, tmp_path):
    pdf = tmp_path / "page.pdf"
    print_page(find_browser(), committed, pdf)
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert 10 < pages < 60


def test_make_pdf_says_what_to_install(run, monkeypatch, capsys):
    import pdf

    monkeypatch.setattr(pdf, "find_browser", lambda: None)
    assert pdf.main(run[0]) == 1
    assert "apt-get install chromium" in capsys.readouterr().err
    assert pdf.main(Path("nowhere")) == 1
    assert "make execute first" in capsys.readouterr().err


def test_a_failed_print_leaves_the_old_pdf(tmp_path):
    (tmp_path / "page.pdf").write_text("old")
    with pytest.raises((subprocess.SubprocessError, OSError)):
        print_page("/bin/false", tmp_path / "a.html", tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_text() == "old"
