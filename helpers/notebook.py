"""What cells show: source, figures, tables, warnings."""

import html
import inspect
import io
import os
import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, DisplayHandle, Image, display
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

LABELS = {
    "outcome_1": "with Outcome 1",
    "share_of_1": "share",
    "roc_auc": "ROC AUC",
    "groups_0": "groups of outcome 0",
    "groups_1": "groups of outcome 1",
    "held_out": "validation ROC AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
}


def show_source(*functions: Callable) -> None:
    """Show the source code of functions, as the run imported them: in colour,
    or as Markdown for what has colours of its own (our page)."""
    code = "\n\n".join(inspect.getsource(f).rstrip() for f in functions)
    look = "color: #000; font-family: monospace"
    formatter = HtmlFormatter(noclasses=True, prestyles=look)
    versions = {
        "text/html": highlight(code, PythonLexer(), formatter),
        "text/markdown": f"```python\n{code}\n```",
    }
    display(versions, raw=True)


def find_out() -> Path:
    """Return the folder for outputs: OUT of the environment, or build/."""
    return Path(os.environ.get("OUT", "build"))


def show_figure(
    figure: Figure,
    name: str,
    caption: str,
    alt: str,
    places: Iterable[DisplayHandle] = (),
) -> None:
    """Save `figure` as figures/name.png among the outputs, show it with its
    text alternative, and its caption below it (which our page takes from the
    image): here, or in two `places` of an earlier cell."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=200)
    plt.close(figure)
    folder = find_out() / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(png.getvalue())
    width = int(figure.get_figwidth() * 100)
    caption = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", caption)
    texts = {"alt": html.unescape(alt), "caption": caption}
    image = Image(png.getvalue(), width=width, metadata=texts)
    below = HTML(f"<p><em>{caption}</em></p>", metadata={"caption": True})
    ways = [place.update for place in places] or [display, display]
    for show, part in zip(ways, (image, below), strict=True):
        show(part)


def show_table(rows: dict[str, dict], name: str) -> None:
    """Show a table: the keys of `rows` in a first column, called `name`, then
    their values by column. Where a value is a dict of a mean and its spread,
    it is shown as mean ± spread."""
    table = pd.DataFrame(
        [
            {name: key}
            | {label: _format(value) for label, value in row.items()}
            for key, row in rows.items()
        ]
    )
    table = table.fillna("").rename(columns=LABELS)
    display(HTML(table.to_html(index=False, border=0, justify="left")))


def _format(value):
    if isinstance(value, dict):
        return " ± ".join(map(_format, value.values()))
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if type(value) is int else value


def show_warnings_as_notes() -> None:
    """Show warnings in a notebook as text, without paths or line numbers, by
    the hook that Python documents for this."""

    def show(message, *_):
        text = f"<strong>Note:</strong> {html.escape(str(message))}"
        display(HTML(f"<blockquote><p>{text}</p></blockquote>"))

    warnings.showwarning = show
