"""The notebook, executed for real by the script behind `make execute`, on
data with names that do harm where they are not escaped; and its page, in a
real browser without a network."""

import json
import re
import subprocess

import nbformat
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, call
from outputs import DATA, NOTEBOOK, OUTPUTS, PAGE
from pdf import find_browser, print_page
from render import render

from helpers.experiments import ALL_VALUES, BEST, CURES, TWO_KINDS
from helpers.models import MODELS

KEYS = (
    "data split grid training comparison order controls verdicts conclusions "
    "environment"
)
HOSTILE = {
    "Gene_0": "<b>a\"b' & $x$",
    "Gene_1": "<script>alert(1)</script>",
    "Gene_2": "G![x](https://example.org/x.png) HLA-A*02:01*",
}
CLASSES = {0: "<i>no</i> $x$", 1: "![y](https://example.org/y.png)*"}
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


def write_hostile_data(path):
    """Copy 300 samples of the stand-in, up to time 19, under other names."""
    table = pd.read_csv(ROOT / DATA, nrows=300)
    table = table.filter(regex=r"_Time_1?\d$|^Outcome$")
    table["Outcome"] = table["Outcome"].map(CLASSES)
    for name, hostile in HOSTILE.items():
        table.columns = table.columns.str.replace(f"{name}_T", f"{hostile}_T")
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A quick run: how it ended, and where its outputs are."""
    folder = tmp_path_factory.mktemp("run")
    write_hostile_data(folder / "hostile.csv")
    before = subprocess.check_output(["git", "status", "-s"], cwd=ROOT)
    out = folder / "build"
    data = folder / "hostile.csv"
    options = "--quick", 1, "--data", data, "--out", out, "--jobs", 1
    done = call("execute", *options)
    assert done.returncode == 0, done.stderr
    after = subprocess.check_output(["git", "status", "-s"], cwd=ROOT)
    assert after == before  # it touched no tracked file
    return done, out


@pytest.fixture(scope="module")
def notebook(run):
    return nbformat.read(run[1] / NOTEBOOK, as_version=4)


def test_all_outputs_are_written(run):
    done, out = run
    assert {path.name for path in out.iterdir()} == set(OUTPUTS)
    assert all(name in done.stdout for name in OUTPUTS)
    assert len(list(out.glob("figures/*.png"))) > 5


def test_terminal_shows_progress_and_nothing_else(run):
    lines = run[0].stderr.splitlines()
    other = [x for x in lines if not re.search(r"\d+ of \d+", x)]
    assert other == []
    assert len(lines) > 3


def test_notebook_ran_from_top_to_bottom_without_litter(notebook, run):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    assert counts == list(range(1, len(code) + 1))
    kinds = [o.output_type for cell in code for o in cell.outputs]
    streams = [o.get("name") for cell in code for o in cell.outputs]
    assert "error" not in kinds
    assert "stderr" not in streams  # no banner, warning or progress line
    text = nbformat.writes(notebook)
    for path in (ROOT, run[1]):
        assert str(path) not in text


def test_results_hold_every_section(run):
    results = json.loads((run[1] / "results.json").read_text())
    assert " ".join(results) == KEYS
    assert len(results["grid"]["attention"]["candidates"]) == 16
    everywhere = {*MODELS, ALL_VALUES, BEST}
    for scenario, row in results["controls"].items():
        cures = CURES.keys() if scenario in TWO_KINDS else set()
        assert row.keys() == everywhere | cures
    assert results["environment"]["quick"] is True
    numbers = re.findall(r"\d", json.dumps(list(results["verdicts"].values())))
    assert not numbers


# the page


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """The committed notebook, rendered."""
    path = tmp_path_factory.mktemp("committed") / PAGE
    notebook = nbformat.read(ROOT / NOTEBOOK, as_version=4)
    path.write_text(render(notebook), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["committed", "hostile"])
def path(request):
    if request.param == "committed":
        return request.getfixturevalue("committed")
    return request.getfixturevalue("run")[1] / PAGE


@pytest.fixture
def open_page(browser):
    """A function that opens a file and notes what goes wrong."""
    contexts = []

    def open_file(path, width=1440, **options):
        viewport = {"width": width, "height": 900}
        context = browser.new_context(
            viewport=viewport, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.noted = []
        page.on("request", lambda r: page.noted.append(r.url[:99]))
        page.on("console", lambda m: page.noted.append(m.text))
        page.on("pageerror", lambda e: page.noted.append(str(e)))
        page.on("dialog", lambda d: (page.noted.append("!"), d.dismiss()))
        page.goto(path.as_uri(), wait_until="load")
        return page

    yield open_file
    for context in contexts:
        context.close()


def test_page_needs_nothing_but_itself(open_page, path):
    page = open_page(path)
    noted = [text for text in page.noted if not text.startswith("data:")]
    assert noted == [path.as_uri()]
    assert page.evaluate("document.scripts.length") == 0


def test_every_figure_has_its_own_text_and_caption(open_page, path):
    figures = open_page(path).eval_on_selector_all(
        "img",
        """images => images.map(i => [i.alt, i.naturalWidth / i.width,
             i.closest("figure").querySelector("figcaption").innerText])""",
    )
    assert len({alt for alt, *_ in figures}) == len(figures) > 5
    for alt, resolution, caption in figures:
        assert len(alt) > 60
        assert len(caption) > 40
        assert caption not in alt
        assert resolution >= 1.9


def test_every_link_inside_leads_somewhere(open_page, path):
    page = open_page(path)
    links = page.eval_on_selector_all(
        "a[href^='#']", "links => links.map(a => decodeURIComponent(a.hash))"
    )
    ids = set(page.eval_on_selector_all("[id]", "all => all.map(e => e.id)"))
    assert len(links) > 20
    assert {link[1:] for link in links} <= ids


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_window(open_page, path, width, committed):
    page = open_page(path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(e =>
             e.getBoundingClientRect().right > innerWidth + 1 &&
             !e.closest("pre, .table, .scroll"))
             .map(e => e.outerHTML.slice(0, 99))"""
    )
    assert wide == []
    scrolls = "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    n_cut = page.eval_on_selector_all(".table", scrolls)
    assert n_cut == (2 if width == 360 else 0) or path != committed


def test_page_is_accessible(open_page, path, committed):
    wide = 1440, "light"
    width, scheme = wide if path == committed else (360, "dark")
    page = open_page(path, width, color_scheme=scheme)
    report = Axe().run(page, options={"runOnly": WCAG})
    assert report.violations_count == 0, report.generate_report()
    assert len(report.response["passes"]) > 10  # it looked
    bare = "th:not([scope]), table:not(:has(thead th))"
    assert page.locator(bare).count() == 0


def test_names_out_of_the_data_are_text(open_page, run):
    page = open_page(run[1] / PAGE)
    text = page.inner_text("main")
    for name in CLASSES.values():
        assert name in text
    assert page.locator("main script").count() == 0


def test_code_can_be_hidden_and_shown(open_page, committed):
    page = open_page(committed)
    code = page.locator(".code:visible")
    assert code.count() > 20
    page.check("#fold")
    assert code.count() == 0
    assert page.locator("figure:visible").count() > 5
    page.uncheck("#fold")
    folded = page.query_selector("details.code")
    assert not folded.query_selector("pre").is_visible()
    folded.query_selector("summary").click()
    assert folded.query_selector("pre").is_visible()


def test_print_shows_all_code_and_clips_none(open_page, committed):
    page = open_page(committed, width=680)  # A4 within its margins
    page.check("#fold")  # what the screen hides is printed all the same
    page.emulate_media(media="print")
    hidden = page.eval_on_selector_all(
        ".code pre", "all => all.filter(e => !e.offsetHeight).length"
    )
    clipped = page.eval_on_selector_all(
        "pre, .table, img",
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length",
    )
    assert (hidden, clipped) == (0, 0)
    assert not page.is_visible("nav")


def test_page_prints_to_a_pdf(browser, committed):
    data = print_page(committed, find_browser()).read_bytes()
    assert data.startswith(b"%PDF")
    assert 10 < len(re.findall(rb"/Type\s*/Page\b", data)) < 60
