"""Every sentence of every template."""

import html
import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from conftest import ROOT
from fakes import (
    ASSIGNED,
    AWARE,
    HOSTILE,
    KINDS,
    LSTM,
    PAIRS,
    TRAININGS,
    make_comparison,
    make_controls,
    make_costs,
    make_data,
    make_drops,
    make_moves,
    make_results,
    make_search,
    make_training,
)
from jinja2 import UndefinedError, nodes
from nbconvert.filters import markdown2html

from helpers import evaluate, report
from helpers.experiments import GENE_MEANS, TWO_KINDS
from helpers.models import MODELS, TIME_FEATURES
from helpers.text import TEMPLATES, join_lines, safe_name, say, say_figure


def each(section, macros, *results):
    return [(section, macro, *results) for macro in macros.split()]


def every_text():
    """Yield section, macro and arguments: each macro, in each of its cases."""
    for genes, classes, times, groups in (
        (("A", "B", "C"), ("0", "1"), range(5), None),
        (HOSTILE[:1], HOSTILE[1:], (0, 1, 2, 3, 9), np.arange(20)),
    ):
        data, truth = make_data(genes, classes, times)
        for known in (truth, None):
            described = report.describe_data(data, known)
            rows = {"training": np.arange(15), "validation": np.arange(15, 20)}
            split = report.describe_split(data.y, rows, groups)
            yield "data", "finding", described, split
            yield from each("data", "caption alt", described)
    model = MODELS[ASSIGNED].build((5, 3))
    yield from each("model", "caption alt", model)
    won = {"best": 2, "near": 1, "p": 0.001}
    near = {"near": 4, "distance": 0.001}
    for spread in ({}, won, near, {"near": 3}, {"n": 1}):
        search = make_search(**spread)
        yield from each("search", "setting finding caption alt", search)
    back = make_training((1, 0.5, 0.6, 0.5))
    for training in (*TRAININGS.values(), back):
        yield "training", "finding", training
        yield "training", "finding", training, "The LSTM's"
        for models in ((ASSIGNED,), (ASSIGNED, LSTM)):
            trainings = dict.fromkeys(models, training)
            yield from each("training", "caption alt", trainings)
    for largest in ((1e-7, 1e-7), (1e-7, 0.3, 0.3), (0.3, 0.3)):
        yield "order", "moves", make_moves(*largest)
    for verdict, held_out in product(PAIRS, (0.7, 0.8)):
        pair = make_comparison(verdict, held_out), ASSIGNED, LSTM
        yield from each("comparison", "finding verdict baselines", *pair)
        hard = make_comparison(verdict, held_out, linear="better")
        yield "comparison", "baselines", hard, AWARE, LSTM
    captions = "caption alt means_caption means_alt"
    yield from each("comparison", captions, make_comparison())
    for p, least_p in product((0.001, 0.02, 0.2), (0.001, 0.02)):
        signal = evaluate.SignalTest(0.89, LSTM, 0.6, p, least_p)
        yield "comparison", "signal", signal, True
        yield "comparison", "signal", signal
    yield "controls", "checks", make_controls(("level", ASSIGNED, 0.8))
    yield "controls", "checks", make_controls()
    for kinds in (TWO_KINDS, ("nothing", "level")):
        yield from each("controls", "caption alt", make_controls(), kinds)
    for genes, windows, truth in (
        (make_drops(), make_drops([1]), make_data()[1]),
        (make_drops([0]), None, make_data()[1]),
        (make_drops([], n=2), make_drops([]), None),
        (make_drops([1]), None, None),
    ):
        drops = {"genes": dict.fromkeys(MODELS, genes)}
        drops |= {"windows": {AWARE: windows}} if windows else {}
        yield from each("importance", "caption alt", drops, HOSTILE)
        yield "importance", "finding", drops, HOSTILE, truth
    relation = {"time_share": 0.4, "genes": [0.1, -0.8, 0]}
    relation |= {"between_outcomes": 0.2, "to_itself": 1.1}
    relation = {ASSIGNED: relation, AWARE: relation | {"genes": [0, 0, 0.1]}}
    for genes in ((1,), (0,), None):
        truth = genes and replace(make_data()[1], genes=genes)
        yield "importance", "attention", relation, HOSTILE, truth
    for time_share, between in ((0.01, 0.6), (0.7, 0.01)):
        changes = {"time_share": time_share, "between_outcomes": between}
        relation = {ASSIGNED: relation[ASSIGNED] | changes}
        yield "importance", "attention", relation, HOSTILE, None
        captions = "attention_caption attention_alt"
        yield from each("importance", captions, relation)
    yield "importance", "names", [0, 1, 2], HOSTILE
    yield from each("costs", "caption alt", make_costs())
    for verdict, faster_up_to in zip(PAIRS, (100, *[0] * 5), strict=True):
        found = make_comparison(verdict), make_costs(faster_up_to), 50
        yield "costs", "benefits", *found
    yield from every_summary()


def every_summary():
    """Yield what depends on the results as a whole."""
    ps = 0.001, 0.02, 0.2
    for verdict, p, kind, hard in product(PAIRS, ps, KINDS, (True, False)):
        tuned = make_search(p=0.001 if hard else 0.5)
        grid = {ASSIGNED: tuned, AWARE: make_search(kinds=kind)}
        linear = {"linear": "better", GENE_MEANS: 0.6} if hard else {}
        every = make_comparison("unclear" if hard else "worse", **linear)
        results = make_results(verdict, every, p, verdict, grid=grid)
        order = results["order"]["value"], grid[AWARE], results["verdicts"]
        yield "order", "finding", *order, 0.75 if hard else 0.6
        yield from each("summary", "headline conclusion", results)
    data = report.describe_data(make_data()[0], None)
    for training in TRAININGS.values():
        results = make_results(data=data, training={ASSIGNED: training})
        yield "summary", "headline", results
    results = make_results()
    results["comparison"]["assigned"] = make_comparison(attention=0.5)
    results["grid"][ASSIGNED] = make_search(distance=0.001)
    yield "summary", "headline", results


EVERY_TEXT = list(every_text())


@pytest.mark.parametrize(
    "macro", sorted({case[:2] for case in EVERY_TEXT}), ids=" ".join
)
def test_every_sentence_is_whole(macro):
    for case in EVERY_TEXT:
        if case[:2] != macro:
            continue
        said = say(*case)
        assert "<" not in said
        assert "![" not in said
        said = re.sub(r"&#\d+;", "x", said)  # of names
        assert not re.search(r" [.,;:)]|\( |[,:;.]\.|None|nan|\{", said)
        assert said.count("**") % 2 == 0
        if "alt" not in macro[1]:  # which lists names of models
            cut = r"[a-z)]\** (?!Gene|Outcome)[A-Z][a-z]|\. [a-z]"
            assert not re.search(cut, said)
        if macro[1] not in ("setting", "names", "verdict"):  # parts of some
            assert not re.search(r"[^.*\n]\**$", said, re.MULTILINE)


def squeeze(text):
    return re.sub(r"[\s*]", "", text).lower()


def test_every_word_of_every_template_was_said():
    said, missing = squeeze("".join(say(*case) for case in EVERY_TEXT)), []
    for path in (ROOT / "helpers" / "text").glob("*.md.j2"):
        for macro in TEMPLATES.parse(path.read_text()).find_all(nodes.Macro):
            words = [node.data for node in macro.find_all(nodes.TemplateData)]
            for node in macro.find_all(nodes.Const):
                if " " in str(node.value) and node.value not in TIME_FEATURES:
                    words += node.value.split("%d")
            missing += [w for w in words if squeeze(w) not in said]
    assert missing == []


def test_captions_have_alternatives_and_no_gaps():
    parts = say_figure("comparison", make_comparison(), figure="means")
    assert parts["alt"] == say("comparison", "means_alt", make_comparison())
    with pytest.raises(UndefinedError, match="source"):
        say("data", "caption", {})


NAMES = [*HOSTILE, "__a__ b _c_", "- a", "1. a", "# a", "a ~~b~~", "&lt;"]
NAMES += ["Gene_0", "HLA-A*02:01", "_a_", "a`b", "<b>", "$x$", "été", "**b"]
NAMES += ["https://a.org", "[x](javascript:alert(1))", "\\*", "a , b (x) .5"]


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_what_they_are(name):
    said = join_lines(f"Relies on\n{safe_name(name)}\n, and x")
    page = markdown2html(said)
    assert html.unescape(page) == f"<p>Relies on {name}, and x</p>\n"


def test_line_breaks_of_a_template_mean_nothing():
    assert join_lines("\n  a (\n b\n)\n,\n ** c\n**\n.\n") == "a (b), **c**."
    assert join_lines("\nx:\n - a\n b\n\n- c\n") == "x:\n\n- a b\n- c"
