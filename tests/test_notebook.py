"""What cells display."""

import warnings
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest

from helpers import notebook


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """What cells displayed."""
    monkeypatch.setenv("OUT", str(tmp_path))
    displayed = []
    monkeypatch.setattr(notebook, "display", displayed.append)
    return displayed


def test_figures_are_saved_and_their_text_is_escaped(tmp_path, shown):
    texts = {"caption": "**&#60;b&#62;** < 1", "alt": 'a "b" &#60;i&#62;'}
    notebook.show_figure(plt.figure(), "x", **texts)
    image, caption = shown
    assert (tmp_path / "figures" / "x.png").read_bytes() == image.data
    assert image.metadata["alt"] == 'a "b" <i>'
    said = "<strong>&#60;b&#62;</strong> < 1"
    assert image.metadata["caption"] == said
    assert f"<em>{said}</em>" in caption.data
    places = [SimpleNamespace(update=shown.append)] * 2
    notebook.show_figure(plt.figure(), "y", places=places, **texts)
    assert shown[3].data == caption.data
    assert shown[2].data == (tmp_path / "figures" / "y.png").read_bytes()
    assert plt.get_fignums() == []


def test_tables_are_escaped_and_formatted(shown):
    rows = {
        "<b>": {"n": 1234, "roc_auc": {"mean": 0.12345, "sd": 0.2}},
        "b": {"n": 5, "p": 0.5, "quick": True},
    }
    notebook.show_table(rows, "name")
    table = shown[0].data
    assert "&lt;b&gt;" in table
    for cell in ("ROC AUC", "1,234", "0.123 ± 0.200", "0.500", "True", ""):
        assert f">{cell}</t" in table


def test_warnings_become_notes(shown, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)
    notebook.show_warnings_as_notes()
    warnings.showwarning("a <b>", UserWarning, "file.py", 3)
    assert "a &lt;b&gt;" in shown[0].data
    assert "file.py" not in shown[0].data
