"""Show source, figures and tables in the notebook."""

import html
import inspect
import io
from collections.abc import Callable
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Image, Markdown, display
from matplotlib.figure import Figure


def show_source(*functions: Callable) -> None:
    """Show the source code of functions, as the run imported them."""
    code = "\n\n".join(inspect.getsource(f).rstrip() for f in functions)
    display(Markdown(f"```python\n{code}\n```"))


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
    texts = {"alt": alt, "caption": caption}
    display(Image(png.getvalue(), width=width, metadata=texts))
    text = f"<p><em>{html.escape(caption)}</em></p>"
    display(HTML(text, metadata={"caption": True}))


def show_table(table: pd.DataFrame, formats: dict[str, str]) -> None:
    """Show a table, its columns formatted as e.g. {"roc_auc": ".3f"}."""
    text = table.copy().astype(object)
    for column, form in formats.items():
        text[column] = [
            "" if pd.isna(v) else format(v, form) for v in table[column]
        ]
    display(HTML(text.to_html(index=False, border=0, justify="left")))


def show_summary(model: keras.Model) -> None:
    """Show a model's layers, their outputs' shapes and their parameters."""
    rows = [
        {
            "layer": type(layer).__name__,
            "name": layer.name,
            "output shape": str(layer.output.shape).replace("None", "n"),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
    total = {"layer": "total", "parameters": model.count_params()}
    table = pd.DataFrame([*rows, total]).fillna("")
    show_table(table, {"parameters": ",d"})


def show_split(split: dict, classes: tuple[str, str]) -> None:
    """Show how many samples each part has, and how many are of the second
    of the `classes`, the one coded 1."""
    rows = [
        {
            "part": part,
            "samples": found["samples"],
            f"with Outcome {classes[1]}": found["outcome_1"],
            "share": found["share_of_1"],
        }
        for part, found in split.items()
    ]
    show_table(pd.DataFrame(rows), {"share": ".1%"})


def show_search(table: pd.DataFrame) -> None:
    """Show candidates, each score as mean ± SD over folds."""
    text = table.loc[:, :"roc_auc_mean"].iloc[:, :-1].copy()
    for score, name in (("roc_auc", "ROC AUC"), ("accuracy", "accuracy"),
                        ("log_loss", "log loss")):  # fmt: skip
        means, sds = table[f"{score}_mean"], table[f"{score}_sd"]
        text[name] = [
            f"{mean:.3f} ± {sd:.3f}"
            for mean, sd in zip(means, sds, strict=True)
        ]
    show_table(text, {})


SCORES = {"roc_auc": "ROC AUC", "log_loss": "log loss", "brier": "Brier score",
          "accuracy": "accuracy"}  # fmt: skip


def show_comparison(comparison: dict) -> None:
    """Show each model's scores as mean ± SD over resamples."""
    rows = []
    for name, found in comparison["models"].items():
        if "roc_auc" not in found:  # known to the held-out samples only
            continue
        row = {"model": name}
        for key, label in SCORES.items():
            mean, sd = found[key]["mean"], found[key]["sd"]
            row[label] = f"{mean:.3f} ± {sd:.3f}"
        for key in ("parameters", "multiply_adds"):
            label = key.replace("_", "-")
            row[label] = f"{found[key]:,}" if key in found else ""
        rows.append(row)
    show_table(pd.DataFrame(rows), {})


def show_held_out(comparison: dict) -> None:
    """Show each model's scores on the held-out samples."""
    rows = []
    for name, model in comparison["models"].items():
        found = model["held_out"]
        row = {"model": name, "ROC AUC": f"{found['roc_auc']:.3f}"}
        low, high = found["roc_auc_low"], found["roc_auc_high"]
        row["95 % interval"] = f"{low:.2f} – {high:.2f}"
        row |= {SCORES[key]: f"{found[key]:.3f}" for key in list(SCORES)[1:]}
        rows.append(row)
    show_table(pd.DataFrame(rows), {})
