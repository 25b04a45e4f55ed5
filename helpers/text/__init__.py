"""The sentences of the page: a template for each subject, and what fills them.

A macro gives a paragraph or a list of Markdown. Line breaks mean nothing in
it, but "- " at the start of a line begins an item of a list.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import jinja2

from helpers.evaluate import CHANGE, ROPE, ROUNDING
from helpers.experiments import ALL_VALUES, DENSE, GENE_MEANS
from helpers.models import MODELS

NAMES = {key: entry.name for key, entry in MODELS.items()} | {
    ALL_VALUES: "logistic regression on all values",
    GENE_MEANS: "logistic regression on gene means",
    DENSE: "a dense layer with time features",
}


def say(section: str, macro: str, *results) -> str:
    """Return the text of a `macro` in the template of a `section`."""
    template = TEMPLATES.get_template(f"{section}.md.j2")
    return join_lines(getattr(template.module, macro)(*results))


def say_figure(section: str, *results, figure: str = "") -> dict[str, str]:
    """Return the `caption` and the text alternative, `alt`, of the figure of
    a section, or of one of its figures."""
    prefix = f"{figure}_" if figure else ""
    parts = ("caption", "alt")
    return {part: say(section, prefix + part, *results) for part in parts}


def join_lines(text: str) -> str:
    """Make one line of a paragraph, and one of each item of a list."""
    paragraph, *items = re.split(r"^ *- ", text, flags=re.MULTILINE)
    items = "\n".join(f"- {_join_words(item)}" for item in items)
    return f"{_join_words(paragraph)}\n\n{items}".strip()


def _join_words(text):
    text = re.sub(r"[ \n]+", " ", text).strip(" ")
    text = re.sub(r" (?=[.,;:)])|(?<=\() ", "", text)
    return re.sub(r"\*\* ?(.+?) ?\*\*", r"**\1**", text)


def safe_name(name: str) -> str:
    """Return a name out of the data as Markdown, and HTML, that shows just
    its letters, whatever they would mean there."""
    special = r"[^\w -]|^-|(?<![^\W_])_|_(?![^\W_])"
    return re.sub(special, lambda match: f"&#{ord(match[0])};", name)


def number(value: float | str, form: str) -> str:
    """Return a number in a form of Python's `format`; a word as it is."""
    if isinstance(value, str):
        return value
    return format(value + 0, form).replace("-", "−")


def p_value(p: float) -> str:
    sign, shown = ("<", "0.001") if p < 0.001 else ("=", f"{p:.3f}")
    return f"p\N{NO-BREAK SPACE}{sign}\N{NO-BREAK SPACE}{shown}"


def code(name: str) -> str:
    return f"`{name}`"


def listed(words: Iterable) -> str:
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def model_name(key: str) -> str:
    return NAMES.get(key, key)


def gene_name(index: int, genes: tuple[str, ...]) -> str:
    return safe_name(genes[index])


def capitalised(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.globals.update(ROPE=ROPE, CHANGE=CHANGE, ROUNDING=ROUNDING)
for function in (
    safe_name,
    number,
    p_value,
    code,
    listed,
    model_name,
    gene_name,
    capitalised,
):
    TEMPLATES.filters[function.__name__] = function
