"""What is done with a finished run: it is published, packed and printed, but
only whole and fresh."""

import zipfile

import nbformat
import outputs
import pdf
import publish
import pytest
import submission
from conftest import call, read_notebook
from outputs import OUTPUTS


def test_half_a_run_is_no_run(tmp_path):
    (tmp_path / "figures").mkdir()
    lacks = "lacks assignment7.ipynb, assignment7.html, results"
    with pytest.raises(outputs.Refusal, match=lacks):
        outputs.open_run(tmp_path)


def test_publish_copies_a_run(finished):
    (finished / "figures").mkdir()
    (finished / "figures" / "old.png").touch()
    publish.publish(finished / "build")
    for name in (outputs.NOTEBOOK, "results.json", "figures/one.png"):
        new = finished / "build" / name
        assert (finished / name).read_bytes() == new.read_bytes()
    assert not (finished / "figures" / "old.png").exists()
    notebook = read_notebook(finished)
    assert outputs.find_changes(notebook, finished) == []


@pytest.mark.parametrize(
    "name",
    [
        "helpers/text/one.py",
        "helpers/text/one.j2",
        "benchmarks/steps.json",
        "requirements.txt",
        "build/results.json",
        "build/figures/one.png",
    ],
)
def test_a_run_of_other_files_is_refused(finished, name):
    (finished / name).unlink()
    (finished / name).touch()
    with pytest.raises(outputs.Refusal, match=name.removeprefix("build/")):
        publish.publish(finished / "build")
    with pytest.raises(outputs.Refusal, match="changed since the run"):
        submission.pack(finished / "build", None)


@pytest.mark.parametrize("folder", [".", "build"])
def test_a_run_of_other_cells_is_refused(finished, folder):
    notebook = read_notebook(finished / folder)
    notebook.cells[-2].source += " and a half"
    nbformat.write(notebook, finished / folder / outputs.NOTEBOOK)
    with pytest.raises(outputs.Refusal, match="since the run: cells"):
        publish.publish(finished / "build")


def test_submission_of_the_users_data(project):
    (project / "mine.csv").write_text("secret")
    done = call("execute", "--data", project / "mine.csv", root=project)
    assert done.returncode == 0, done.stderr
    done = call("submission", "build", root=project)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(project / "build" / "submission.zip") as archive:
        names = {
            name.removeprefix("assignment7/") for name in archive.namelist()
        }
        text = archive.read("assignment7/assignment7.ipynb").decode()
        page = archive.read("assignment7/assignment7.html").decode()
    assert {*OUTPUTS[:4], "figures/one.png", "README.md"} <= names
    assert {"scripts/execute.py", "helpers/text/one.j2"} <= names
    assert ("assignment7.pdf" in names) == bool(pdf.find_browser())
    assert not {"mine.csv", outputs.DATA} & names
    assert "mine.csv" not in text + page
    with pytest.raises(outputs.Refusal, match="parameters"):
        publish.publish(project / "build")


def test_pdf_says_what_is_missing(tmp_path):
    for browser, says in ((None, "apt-get install"), ("false", "no PDF")):
        with pytest.raises(outputs.Refusal, match=says):
            pdf.print_page(tmp_path / outputs.PAGE, browser)
