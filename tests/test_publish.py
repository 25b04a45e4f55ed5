"""What is committed and handed in: fresh, checked, and able to run."""

import base64
import copy
import json
import shutil
import subprocess
import sys

import nbformat
import origin
import pdf
import publish
import pytest
import submission
import verify
from conftest import ROOT


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(ROOT / "assignment7.ipynb", as_version=4)


@pytest.fixture(scope="module")
def results():
    return json.loads((ROOT / "results.json").read_text())


def test_committed_notebook_is_fresh(committed):
    stale = origin.find_stale(committed)
    assert stale == [], "make execute and make publish again"


def test_committed_outputs_are_of_one_full_run(committed, results):
    text = nbformat.writes(committed)
    assert "This is the full run" in text
    assert "This run uses the **stand-in data**" in text
    for sentence in results["conclusions"].values():
        assert json.dumps(sentence, ensure_ascii=False)[1:-1] in text
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    assert counts == list(range(1, len(code) + 1))
    figures = sorted((ROOT / "figures").glob("*.png"))
    shown = [
        output.data["image/png"].replace("\n", "")
        for cell in code
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(figures) == len(shown) == 10
    files = {base64.b64encode(p.read_bytes()).decode() for p in figures}
    assert files == set(shown)


@pytest.fixture
def repository(tmp_path, monkeypatch, committed):
    """A copy of what a notebook is made from, in a repository of its own."""
    root = tmp_path / "copy"
    for part in ("helpers", "data", "benchmarks"):
        shutil.copytree(ROOT / part, root / part)
    for name in ("requirements.txt", "assignment7.ipynb", "results.json"):
        shutil.copy(ROOT / name, root)
    for module in (origin, publish):
        monkeypatch.setattr(module, "ROOT", root)
    defaults = (root / "data" / "gene_expression_data.csv",)
    monkeypatch.setattr(origin.describe_origin, "__defaults__", defaults)
    committed = nbformat.from_dict(copy.deepcopy(committed))
    committed.metadata["made_from"] = origin.describe_origin()
    return root, committed


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("helpers/plots.py", "helpers"),
        ("data/gene_expression_data.csv", "data"),
        ("benchmarks/results.json", "benchmark"),
        ("requirements.txt", "requirements"),
    ],
)
def test_any_change_makes_the_notebook_stale(repository, path, part):
    root, notebook = repository
    assert origin.find_stale(notebook) == []
    with (root / path).open("a") as file:
        file.write("# more\n")
    assert origin.find_stale(notebook) == [part]


@pytest.mark.parametrize(
    ("kind", "part"), [("code", "code cells"), ("markdown", "prose")]
)
def test_another_notebook_makes_the_outputs_stale(repository, kind, part):
    root, notebook = repository
    source = nbformat.from_dict(copy.deepcopy(notebook))
    cell = next(c for c in source.cells if c.cell_type == kind)
    cell.source += "\n# more"
    nbformat.write(source, root / "assignment7.ipynb")
    assert origin.find_stale(notebook) == [part]


def test_a_renamed_helper_makes_the_notebook_stale(repository):
    root, notebook = repository
    (root / "helpers" / "costs.py").rename(root / "helpers" / "cost.py")
    assert origin.find_stale(notebook) == ["helpers"]


def finished_run(out, notebook, quick=False, source="stand-in"):
    out.mkdir()
    nbformat.write(notebook, out / "assignment7.ipynb")
    content = {"environment": {"quick": quick}, "data": {"source": source}}
    (out / "results.json").write_text(json.dumps(content))
    (out / "figures").mkdir()
    (out / "figures" / "new.png").write_bytes(b"new")
    return out


def test_publish_puts_a_full_run_in_place(repository, tmp_path):
    root, notebook = repository
    out = finished_run(tmp_path / "out", notebook)
    assert publish.main(out) == 0
    for name in ("assignment7.ipynb", "results.json", "figures/new.png"):
        assert (root / name).read_bytes() == (out / name).read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quick": True}, "holds a quick run"),
        ({"source": "file"}, "was run on a user's file"),
        ({"cells": 3}, "code cells, prose changed since the run"),
        ({"parameters": True}, "was run with parameters"),
    ],
)
def test_publish_refuses(repository, tmp_path, capsys, change, says):
    root, notebook = repository
    before = (root / "assignment7.ipynb").read_bytes()
    notebook.cells = notebook.cells[: -change.pop("cells", 0) or None]
    if change.pop("parameters", False):
        cell = nbformat.v4.new_code_cell("SEED = 1")
        cell.metadata["tags"] = ["injected-parameters"]
        notebook.cells.insert(2, cell)
    out = finished_run(tmp_path / "out", notebook, **change)
    assert publish.main(out) == 1
    assert says in capsys.readouterr().err
    assert (root / "assignment7.ipynb").read_bytes() == before


def test_publish_needs_a_finished_run(tmp_path, capsys):
    assert publish.main(tmp_path) == 1
    assert "make execute first" in capsys.readouterr().err


def change(results, path, value):
    changed = json.loads(json.dumps(results))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value(inner[path[-1]])
    return changed


AUC = ("comparison", "models", "LSTM", "roc_auc", "mean")


def test_equal_results_are_verified(results):
    found = verify.compare(results, results)
    assert found["compared"] == found["equal"] > 1000
    assert found["wrong"] == []
    text = verify.state(found)
    assert "all equal" in text
    assert "Promised: equal bytes on one machine" in text


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (AUC, lambda v: v + 0.01, False),
        (AUC, lambda v: v + 0.05, True),
        (AUC, lambda v: None, True),
        (("controls", "both", "LSTM", 0), lambda v: v - 0.01, False),
        (("controls", "both", "LSTM", 0), lambda v: v - 0.05, True),
        (("controls", "both", "LSTM"), lambda v: v[:-1], True),
        (("comparison", "models"), lambda v: {}, True),
        (("conclusions",), lambda v: {}, True),
        (("conclusions", "why"), lambda v: "other words", False),
        (("grid", "LSTM", "candidates"), lambda v: v[::-1], False),
        (("grid", "LSTM", "candidates"), lambda v: v[1:], True),
        (("order", "moves", "attention", "largest"), lambda v: 3 * v, False),
        (("order", "moves", "attention", "largest"), lambda v: 0.5, True),
        (
            ("comparison", "importance", "LSTM", "genes", "found"),
            lambda v: [*v, 9],
            False,
        ),
        (("data", "samples"), lambda v: v + 1, True),
        (("data", "positive_share"), lambda v: v + 1e-6, True),
        (("comparison", "models", "LSTM", "parameters"), lambda v: 7, True),
        (("comparison", "signal", "p"), lambda v: v + 0.5, False),
        (("environment", "keras"), lambda v: "0.1", False),
        (("environment", "quick"), lambda v: not v, True),
        (("training", "LSTM", "epochs"), lambda v: v + 1, True),
        (("grid", "LSTM", "judgement", "candidates"), lambda v: 3, True),
        (("comparison", "resamples"), lambda v: 2, True),
    ],
)
def test_verify_tells_what_may_differ(results, path, value, wrong):
    found = verify.compare(results, change(results, path, value))
    assert bool(found["wrong"]) == wrong
    text = verify.state(found)
    if wrong:
        assert f"WRONG {' / '.join(map(str, path))}" in text
        assert f" {len(found['wrong'])} wrong" in text.splitlines()[0]
    elif path == AUC:
        assert "the scores differ by at most 0.01 (comparison / mod" in text
    elif path[0] == "environment":
        assert f"keras {results['environment']['keras']} there, 0.1 here" in (
            text
        )


def test_verify_exits_with_its_verdict(results, tmp_path, capsys):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    assert verify.main(tmp_path) == 0
    path.write_text(json.dumps(change(results, AUC, lambda v: 0.1)))
    assert verify.main(tmp_path) == 1
    assert "WRONG comparison / models / LSTM" in capsys.readouterr().out


def test_submission_holds_what_is_asked_for(unpacked, hostile_data):
    names = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*")}
    wanted = {"assignment7.ipynb", "README.md", "requirements.txt",
              "helpers/data.py", "data/README.md", "assignment7.html",
              "results.json", "figures/grid.png"}  # fmt: skip
    if pdf.find_browser():
        wanted.add("assignment7.pdf")
    assert wanted <= names
    assert not any(name.startswith((".", "tests")) for name in names)
    assert "data/gene_expression_data.csv" not in names  # not of this run
    text = (unpacked / "assignment7.ipynb").read_text()
    assert origin.describe_origin(hostile_data)["data"] in text
    for name in ("assignment7.ipynb", "assignment7.html"):
        assert str(hostile_data) not in (unpacked / name).read_text()


def test_submission_of_other_code_is_refused(run, monkeypatch, capsys):
    monkeypatch.setattr(submission, "find_stale", lambda n: ["helpers"])
    assert submission.main(run[0]) == 1
    assert "helpers changed since the run" in capsys.readouterr().err
    assert not (run[0] / "submission.zip").exists()


def test_submission_that_is_too_large_is_refused(
    run, tmp_path, monkeypatch, capsys
):
    shutil.copytree(run[0], tmp_path / "out")
    monkeypatch.setattr(submission, "MOST", 1_000_000)
    monkeypatch.setattr(submission, "find_browser", lambda: None)
    assert submission.main(tmp_path / "out") == 1
    assert "would be larger than 1 MB" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*submission.zip"))


def test_submission_needs_a_finished_run(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "submission.py", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "make execute first" in done.stderr
