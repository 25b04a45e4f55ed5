"""The sentences of the page: a template a section, and what fills them.

A macro gives a paragraph or a list of Markdown. Line breaks mean nothing in
it, but "- " at the start of a line begins an item of a list.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import jinja2

from helpers.evaluate import ROPE
from helpers.models import MODELS


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
    text = " ".join(text.split())
    text = re.sub(r" (?=[.,;:)])|(?<=\() ", "", text)
    return re.sub(r"\*\* ?(.+?) ?\*\*", r"**\1**", text)


def safe_name(name: str) -> str:
    """Return a name out of the data as Markdown, and HTML, that shows just
    its letters, whatever they would mean there."""
    special = r"[^\w -]|^-|(?<![^\W_])_|_(?![^\W_])"
    return re.sub(special, lambda match: f"&#{ord(match[0])};", name)


def number(value: float | str, form: str = ".3f") -> str:
    """Return a number in a form of Python's `format`; a word as it is."""
    if isinstance(value, str):
        return value
    return format(value + 0, form).replace("%", " %")


def probability(p: float) -> str:
    """Return a probability in percent, which is never quite 0 or 100."""
    if p > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if p < 0.001 else f"{100 * p:.3g} %"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def difference(value: float) -> str:
    return "less than 0.001" if value < 0.001 else f"{value:.3f}"


def listed(words: Iterable) -> str:
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def model_names(keys: Iterable[str]) -> str:
    return listed(MODELS[key].name for key in keys)


def capitalised(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.globals.update(MODELS=MODELS, ROPE=ROPE)
for function in (safe_name, number, probability, p_value, difference):
    TEMPLATES.filters[function.__name__] = function
for function in (listed, model_names, capitalised):
    TEMPLATES.filters[function.__name__] = function
