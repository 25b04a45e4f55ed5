"""Names, numbers and lists as the sentences have them."""

import re

NAMES = {
    "attention": "the prescribed attention model",
    "LSTM": "the LSTM",
    "attention + time": "attention with time features",
}


def as_text(name: str) -> str:
    """Return a name out of the data as Markdown that shows just its letters,
    whatever they would mean in Markdown or HTML."""
    special = r"[^\w .-]|^_|_$|^[.-]"
    return re.sub(special, lambda found: f"&#{ord(found[0])};", name)


def list_lines(lines) -> str:
    return "\n".join(f"- {text}" for text in lines)


def plain(text):
    return text.replace("**", "")


def capitalise(text):
    return text[:1].upper() + text[1:]


def join_words(words):
    if len(words) < 2:
        return "".join(words) or "nothing"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def format_lead(difference):
    return "less than 0.001" if difference < 0.001 else f"{difference:.3f}"


def format_p(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
