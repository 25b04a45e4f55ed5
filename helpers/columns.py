"""What the column names of a table say: genes, times and the outcome.

A table of another shape is refused, with the pandas that reshapes it.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path

import pandas as pd

OUTCOME = "Outcome"
UNNAMED = re.compile(r"Unnamed: [0-9]+(\.[0-9]+)*")  # pandas's "no name"
UNITS = {  # the unit that each word stands for
    word: words.split()[0]
    for words in (
        "s sec secs second seconds",
        "min mins minute minutes",
        "h hr hrs hour hours",
        "d day days",
        "wk w wks week weeks",
        "mo month months",
        "yr y yrs year years",
    )
    for word in words.split()
}
ROLES = {  # columns of long tables, by what they are usually called
    "gene": r"(gene|symbol|feature)([_ ]?(id|name|symbol))?s?",
    "time": r"(pseudo)?time([_ ]?points?)?|t|hours?|hpi|days?|weeks?",
    "sample": r"(sample|cell|subject|patient|donor|mouse|animal|series)"
    r"([_ ]?(id|name))?s?|id|barcode",
}


class DataError(ValueError):
    """The data cannot be used; the message says where and what to do, in one
    line, whatever characters it quotes."""

    def __init__(self, message: str):
        super().__init__(
            "".join(c if c.isprintable() else "\ufffd" for c in message)
        )


@dataclass(frozen=True)
class Layout:
    """How a file's text is to be read, and its first rows as text.

    `content` begins with the header, `n_skipped` lines below the file's
    first; `header` holds the column names, without blanks at their ends.
    """

    path: Path
    content: bytes = field(repr=False)
    header: list[str]
    rows: pd.DataFrame
    separator: str
    decimal: str
    n_skipped: int

    def error(self, message: str, *lines: str, **options) -> DataError:
        """Return the error to raise. `lines` of pandas are the cure: with
        them, the message shows how to read this very file as `table`, with
        `options`, change it and save it."""
        if self.separator != ",":
            options["sep"] = self.separator
        if self.decimal != ".":
            options["decimal"] = self.decimal
        if self.n_skipped:
            options["skiprows"] = self.n_skipped
        call = [
            repr(str(self.path)),
            *(f"{k}={options[k]!r}" for k in options),
        ]
        read = f"import pandas as pd; table = pd.read_csv({', '.join(call)})"
        save = "table.to_csv('table.csv', index=False)"
        code = f" `{'; '.join([read, *lines, save])}`." if lines else ""
        return DataError(f"{self.path}: {message}{code}")

    def place(self, row: int, column: str) -> str:
        """Name a cell as a spreadsheet counts its rows."""
        return f"row {row + self.n_skipped + 2} of the file, column {column!r}"

    def holds_numbers(self, name: str) -> bool:
        cells = self.rows[name].str.strip().str.replace(",", ".")
        cells = cells[cells != ""]
        return len(cells) > 0 and pd.to_numeric(cells, "coerce").notna().all()


def recognise_columns(
    layout: Layout, outcome: str | None, groups: str | bool | None
) -> tuple[pd.DataFrame, str, str]:
    """Say which columns of a file hold values, by their names.

    `outcome` and `groups` name those columns, if there are any. Returns names
    by time and gene, both in order; the unit of time; and a sentence on how
    they were read. Raises DataError unless every gene has every time exactly
    once, or if other columns than a leading one stand beside the genes.
    """
    if groups not in (None, False, *{*layout.header} - {outcome}):
        raise layout.error(
            f"GROUPS={groups} must name the column that says which rows "
            f"belong together, one of {list_some(layout.header)}; "
            "GROUPS=False says that all rows are independent."
        )
    names = [n for n in layout.header if n not in (outcome, groups)]
    names = [n for n in names if not UNNAMED.fullmatch(n)]
    parts = read_names(layout, names)
    if not outcome or parts.empty:
        raise explain_shape(layout, outcome, parts)
    check_names(layout, names, parts)
    grid = arrange(layout, parts)
    name, gene, number, unit = parts.iloc[0][
        ["name", "gene", "number", "unit"]
    ]
    spelling = "GENE" + name.removeprefix(gene).replace(number, "TIME")
    if not name.startswith(gene):
        spelling = name.removesuffix(gene).replace(number, "TIME") + "GENE"
    note = (
        f"{grid.size} columns read as {spelling}: {grid.shape[1]} genes x "
        f"{grid.shape[0]} times{unit and f', in {unit}'}."
    )
    return grid, unit, re.sub(r"\b1 (gene|time|column)s", r"1 \1", note)


def compile_rank(word: str, gene: str = ".+?") -> list[re.Pattern]:
    """Compile the ways to write a gene, and a time that follows `word`.

    Either may come first. A point before a number at the end can be a
    decimal mark or a separator, and a hyphen a sign or a separator.
    """
    units = "|".join(sorted(UNITS, key=len, reverse=True))
    before = r"(?:(?P<before>days?|d|hours?|hrs?|h|weeks?|wk)[_. ]?)?"
    if word == "t":
        before = "(?P<before>)"  # Th1 and Th2 are cells, not hours
    patterns = []
    for decimals, (sign, hyphen) in product(
        (r"(?:\.[0-9]{1,9})?", ""), (("[+-]?", ""), ("", "|(?<![_. :-])-"))
    ):
        separator = f"(?:[_. :]{hyphen})"
        time = f"{before}(?P<number>{sign}[0-9]{{1,9}}{decimals})"
        time = f"{separator * bool(word)}?{time}(?: ?(?P<after>{units}))?"
        time = f"(?P<word>{word}){time if word else time[1:]}"
        if word:
            separator = "[_. :-]"
        between = f"{separator}?" if word == TIME else separator
        patterns.append(f"(?P<gene>{gene}){between}{time}")
        if decimals:
            patterns.append(f"{time}{separator}(?P<gene>{gene})")
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


TIME = "time(?:[_ .]?point)?"
RANKS = (  # spellings by how sure they are; a lower one is tried last
    compile_rank(TIME),
    compile_rank("t", "gene.*?") + compile_rank("", "gene.*?"),
    compile_rank("t"),
    compile_rank(""),
)


def is_gene_at_time(name: str) -> bool:
    """Return whether a name is plainly a gene at a time, in any spelling."""
    return any(p.fullmatch(name) for rank in RANKS[:3] for p in rank)


def read_names(layout: Layout, names: list[str]) -> pd.DataFrame:
    """Return the names that are a gene at a time, and their parts.

    All are read by one pattern, of the highest rank that fits half of the
    names or more. Raises DataError if two of one rank give different arrays.
    """
    for patterns in RANKS:
        readings = [split_names(pattern, names) for pattern in patterns]
        most = max(map(len, readings))
        if most == 0 or most < len(names) / 2:
            continue
        readings = [r for r in readings if len(r) == most]
        complete = [r for r in readings if is_complete(r)]
        # Where there is a choice, a series has more than one time point.
        series = [r for r in complete if r["time"].nunique() > 1]
        first, *others = series or complete or readings
        for other in others if complete else []:
            other = other.reindex(first.index)
            differ = first["gene"] != other["gene"]
            differ |= first["time"] != other["time"]
            if differ.any():
                name = differ.idxmax()
                a, b = first.loc[name], other.loc[name]
                raise layout.error(
                    f"the column names can be read in two ways. Is {name!r} "
                    f"gene {a['gene']!r} at time {a['number']}, or gene "
                    f"{b['gene']!r} at time {b['number']}? Name the columns "
                    "GENE_Time_NUMBER."
                )
        return first
    return pd.DataFrame()


def split_names(pattern: re.Pattern, names: list[str]) -> pd.DataFrame:
    """Return the parts of the names that a pattern fits, by name."""
    matches = [m for name in names if (m := pattern.fullmatch(name))]
    parts = [m.groupdict(default="") for m in matches]
    table = pd.DataFrame(parts, index=[m.string for m in matches])
    if matches:
        table["name"] = table.index
        words = (table["before"] + table["after"]).str.lower()
        table["unit"] = words.map(lambda word: UNITS.get(word, ""))
        table["time"] = table["number"].astype(float)
    return table


def is_complete(parts: pd.DataFrame) -> bool:
    """Return whether every gene has every time exactly once."""
    size = parts["gene"].nunique() * parts["time"].nunique()
    return len(parts) == len(parts[["gene", "time"]].drop_duplicates()) == size


def check_names(layout: Layout, names: list[str], parts: pd.DataFrame) -> None:
    """Raise DataError if other columns than a leading one stand beside the
    genes, or a name is not what was meant."""
    units = {unit or "none" for unit in parts["unit"]}
    if len(units) > 1:
        raise layout.error(
            f"the times have different units, {', '.join(sorted(units))}. "
            "Write all of them in one."
        )
    times = parts["time"].to_dict()
    steps = {round(b - a, 6) for a, b in pairwise(sorted({*times.values()}))}
    known = {*names}
    for name in names:
        stem = name.removesuffix(".1")
        tenths = times.get(name) != times.get(stem) and len(steps) == 1
        if stem != name and stem in known and not tenths:
            raise layout.error(
                f"{name!r} looks like the mark that pandas and R give to a "
                f"second column {stem!r}. Remove or rename it."
            )
    unknown = [name for name in names if name not in times]
    if unknown and (unknown != names[:1] or is_gene_at_time(unknown[0])):
        raise explain_others(layout, unknown)
    sure = parts[["word", "unit"]].iloc[0].any()  # not x_1, x_2, x_3
    if not sure and parts["gene"].nunique() == 1 < len(parts):
        raise explain_shape(layout, OUTCOME, parts)


def explain_others(layout: Layout, unknown: list[str]) -> DataError:
    """Return the error for columns beside the genes, of which one may be the
    groups: it must not be dropped unseen."""
    n_values = layout.rows[unknown].nunique()
    repeat = n_values[(n_values > 2) & (n_values < len(layout.rows) / 2)]
    group = [*repeat.index, unknown[0]][0]
    others = [n for n in unknown if n != group] or unknown
    return layout.error(
        f"expected GENE_Time_NUMBER and '{OUTCOME}', received other columns: "
        f"{list_some(unknown)}. Rename those that are genes. If rows with the "
        f"same {group!r} belong together, set GROUPS={group}. To drop "
        f"{list_some(others)}:",
        f"table = table.drop(columns={others})",
    )


def arrange(layout: Layout, parts: pd.DataFrame) -> pd.DataFrame:
    """Return the names of columns by time and gene, both in order. Raises
    DataError unless there is one of each."""
    if not is_complete(parts):
        counts = pd.crosstab(parts["time"], parts["gene"]).stack()
        wrong = [f"{g} at {t:g}" for t, g in counts.index[counts != 1]]
        raise layout.error(
            "every gene needs one column at every time; there is none, or "
            f"more than one, of {list_some(wrong)}. Add or remove columns."
        )
    grid = parts.pivot(index="time", columns="gene", values="name")
    if (grid.index % 1 == 0).all():
        grid.index = grid.index.astype(int)
    return grid[sorted(grid.columns, key=natural_order)]


def natural_order(name: str) -> tuple:
    """Sort key under which Gene_2 stands before Gene_10."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], name


def find_outcome(layout: Layout) -> str | None:
    """Return the name of the outcome's column, or None. Raises DataError if
    there are several, or the header is none."""
    header = layout.header
    check_header(layout)
    named = [n for n in header if n.lower().startswith(OUTCOME.lower())]
    outcomes = [n for n in named if n.lower() == OUTCOME.lower()]
    per_time = [n for n in named if is_gene_at_time(n)]
    if per_time or len(outcomes) > 1:
        keep = [*per_time, *outcomes][-1]
        others = [n for n in (*per_time, *outcomes) if n != keep]
        raise layout.error(
            "expected one outcome of each sample, received "
            f"{list_some(others)} and {keep}. To keep {keep!r} only:",
            f"table = table.drop(columns={others})",
            f"table = table.rename(columns={{{keep!r}: '{OUTCOME}'}})",
        )
    return outcomes[0] if outcomes else None


def check_header(layout: Layout) -> None:
    """Raise DataError unless the header holds names, each once."""
    header = pd.Series(layout.header)
    if pd.to_numeric(header, "coerce").notna().all():
        raise layout.error(
            "the first row holds numbers. Write the names of the columns "
            f"above it, GENE_Time_NUMBER and '{OUTCOME}'."
        )
    repeated = header[header.duplicated()].unique()
    if len(repeated):
        raise layout.error(
            f"duplicate column names: {list_some(repeated)}. Keep one of "
            "each. If a second row of names follows, join the two:",
            "table.columns = ['_'.join(n for n in pair if '_level_' not in n) "
            "for pair in table.columns]",
            header=[0, 1],
        )


def find_role(role: str, names: list[str]) -> str | None:
    """Return the first name that is usual for a role, or None."""
    return next((n for n in names if re.fullmatch(ROLES[role], n, re.I)), None)


def explain_shape(
    layout: Layout, outcome: str | None, parts: pd.DataFrame
) -> DataError:
    """Return the error for a table without an outcome, or without genes at
    times in the names of its columns."""
    header, first = layout.header, layout.header[0]
    numeric = [n for n in header if layout.holds_numbers(n)]
    time, sample = find_role("time", header), find_role("sample", header)
    if time and sample and parts.empty:
        return explain_long(layout, time, sample, numeric)
    if outcome:
        return layout.error(
            "expected columns named GENE_Time_NUMBER, received "
            f"{list_some([n for n in header if n != outcome]) or 'none'}. "
            "Rename them."
        )
    cells = [cell.strip() for cell in layout.rows[first]]
    n_genes = sum(map(is_gene_at_time, cells))
    is_turned = OUTCOME in cells or n_genes > len(cells) / 2
    is_matrix = parts.empty and numeric == header[1:]
    if is_turned or is_matrix or first == find_role("gene", header):
        return explain_genes_in_rows(layout, parts, is_turned)
    name = [header[-1], *(n for n in header if n not in parts.index)][-1]
    return layout.error(
        f"expected a column '{OUTCOME}', received {list_some(header[::-1])}. "
        f"If {name!r} is the outcome, rename it:",
        f"table = table.rename(columns={{{name!r}: '{OUTCOME}'}})",
    )


def explain_genes_in_rows(
    layout: Layout, parts: pd.DataFrame, is_turned: bool
) -> DataError:
    """Return the error for genes in rows; they may have times and an outcome
    there, or the columns, `parts`, be samples at times."""
    cure = "Turn the table:"
    lines = ["table = table.T"]
    if not is_turned:
        cure = "Turn it, with the outcomes as outcome = {sample: class}:"
        name, sample = "", " "
        if not parts.empty:
            name, sample = parts[["name", "gene"]].iloc[0]
        if not name.startswith(sample):
            lines = ["table = table.T.add_suffix('_Time_0')"]
        else:
            mark = name[len(sample)]
            lines += [
                "table.index = table.index.str.rsplit("
                f"{mark!r}, n=1, expand=True)",
                "table = table.unstack()",
                "table.columns = ['_'.join(pair) for pair in table.columns]",
            ]
        lines += [f"table['{OUTCOME}'] = table.index.map(outcome)"]
    return layout.error(
        f"a row is one gene, where one sample is expected. {cure}",
        *lines,
        "table = table.reset_index(names='sample')",
        index_col=0,
    )


def explain_long(
    layout: Layout, time: str, sample: str, numeric: list[str]
) -> DataError:
    """Return the error for a row per sample and time, with a column for each
    gene, or per sample, gene and time."""
    gene = find_role("gene", layout.header)
    index = [n for n in layout.header if not UNNAMED.fullmatch(n)]
    keys = {time, gene, sample, find_outcome(layout)}
    values = [n for n in index if n in numeric and n not in keys]
    columns = [time]
    if gene and values:
        columns, values = [gene, time], values[-1:]
    index = [n for n in index if n not in (*columns, *values)]
    values = values[0] if len(columns) > 1 else values
    return layout.error(
        f"a row is one time ({time!r}) of a sample, where a row for each "
        "sample is expected. Reshape it:",
        f"table = table.pivot(index={index}, columns={columns}, "
        f"values={values!r})",
        "table.columns = [f'{gene}_Time_{time}' for gene, time in "
        "table.columns]",
        "table = table.reset_index()",
    )


def list_some(names: list[str], most: int = 5) -> str:
    """Return the first few names, shortened, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name[:40] for name in names[:most]) + more
