"""What cells show: source, figures, tables, warnings; and their clock."""

import html
import inspect
import io
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Image, display
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

LABELS = {
    "outcome_1": "with Outcome 1",
    "share_of_1": "share",
    "roc_auc": "ROC AUC",
    "roc_auc_low": "95 % interval from",
    "roc_auc_high": "to",
    "log_loss": "log loss",
    "brier": "Brier score",
    "multiply_adds": "multiply-adds",
}


def show_source(*functions: Callable) -> None:
    """Show the source code of functions, as the run imported them: in colour,
    or as Markdown for what has colours of its own (our page)."""
    code = "\n\n".join(inspect.getsource(f).rstrip() for f in functions)
    formatter = HtmlFormatter(noclasses=True, prestyles="color: #000")
    versions = {
        "text/html": highlight(code, PythonLexer(), formatter),
        "text/markdown": f"```python\n{code}\n```",
    }
    display(versions, raw=True)


def show_figure(
    figure: Figure, name: str, caption: str, alt: str, folder: Path
) -> None:
    """Save `figure` as folder/name.png, show it with its text alternative,
    and its caption below it (which our page takes from the image)."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=200)
    plt.close(figure)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(png.getvalue())
    width = int(figure.get_figwidth() * 100)
    texts = {"alt": html.unescape(alt), "caption": html.unescape(caption)}
    display(Image(png.getvalue(), width=width, metadata=texts))
    text = f"<p><em>{html.escape(texts['caption'])}</em></p>"
    display(HTML(text, metadata={"caption": True}))


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


def show_summary(model: keras.Model) -> None:
    """Show a model's layers, their outputs' shapes and their parameters."""
    rows = {
        layer.name: {
            "layer": type(layer).__name__,
            "output shape": str(layer.output.shape).replace("None", "n"),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    }
    rows["total"] = {"parameters": model.count_params()}
    show_table(rows, "name")


def show_warnings_as_notes() -> None:
    """Show warnings in a notebook as text, without paths or line numbers, by
    the hook that Python documents for this."""

    def show(message, *_):
        text = f"<strong>Note:</strong> {html.escape(str(message))}"
        display(HTML(f"<blockquote><p>{text}</p></blockquote>"))

    warnings.showwarning = show


@contextmanager
def timed(timings: dict[str, float], name: str) -> Iterator[None]:
    """Record in `timings[name]` how many seconds the block took."""
    start = time.perf_counter()
    yield
    timings[name] = round(time.perf_counter() - start, 1)
