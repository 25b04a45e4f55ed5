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
    and its caption below it."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=200)
    plt.close(figure)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(png.getvalue())
    width = int(figure.get_figwidth() * 100)
    display(Image(png.getvalue(), width=width, alt=alt))
    display(HTML(f"<p><em>{html.escape(caption)}</em></p>"))


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


def show_split(split: dict) -> None:
    """Show how many samples of either outcome each part has."""
    rows = [
        {
            "part": part,
            "samples": found["samples"],
            "with Outcome 1": found["outcome_1"],
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


def show_comparison(comparison: dict, controls: dict) -> None:
    """Show the held-out scores of the models beside what frames them: the
    majority class below, the known truth (if any) above."""
    rows = {name: comparison[name] for name in ("attention", "LSTM")}
    table = pd.DataFrame({**rows, **controls}).T
    interval = [
        "" if pd.isna(low) else f"{low:.3f} to {high:.3f}"
        for low, high in zip(
            table["roc_auc_low"], table["roc_auc_high"], strict=True
        )
    ]
    table.insert(1, "95 % interval", interval)
    table = table.drop(columns=["roc_auc_low", "roc_auc_high"])
    table.insert(0, "model", table.index)
    forms = dict.fromkeys(("roc_auc", "accuracy", "log_loss", "brier",
                           "cv_roc_auc"), ".3f")  # fmt: skip
    forms |= {"parameters": ",.0f", "multiply_adds": ",.0f"}
    names = {
        "roc_auc": "ROC AUC",
        "log_loss": "log loss",
        "brier": "Brier score",
        "cv_roc_auc": "ROC AUC in cross-validation",
        "multiply_adds": "multiply-adds",
    }
    forms = {names.get(key, key): form for key, form in forms.items()}
    show_table(table.rename(columns=names), forms)
