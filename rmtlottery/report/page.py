"""One self-contained HTML file: questions, what was found, the figures, and how to make it again."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from markupsafe import Markup

ROWS = 12


class Answer(NamedTuple):
    """One section of a report. `picture` is a PNG."""

    name: str
    question: str
    headline: str
    about: str
    picture: bytes
    table: Any
    file: str


def render(
    title: str, lead: str, answers: Sequence[Answer], facts: Mapping[str, str], faults: Sequence[str], footer: str
) -> str:
    """The page as text. Nothing in it is fetched from anywhere."""
    from jinja2 import Environment

    environment = Environment(autoescape=True)
    environment.filters["code"] = code
    template = environment.from_string(Path(__file__).with_name("page.html").read_text())
    sections = [section(answer) for answer in answers]
    return template.render(title=title, lead=lead, answers=sections, facts=facts, faults=faults, footer=footer)


def code(text: str) -> "Markup":
    """`words` between backticks as code, all else escaped."""
    from markupsafe import Markup

    pieces = text.split("`")
    marked = [Markup("<code>{}</code>").format(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
    return Markup("").join(marked)


def section(answer: Answer) -> dict[str, Any]:
    shown = answer.table.head(ROWS)
    return answer._asdict() | {
        "picture": base64.b64encode(answer.picture).decode(),
        "columns": list(shown.columns),
        "rows": [[cell(value) for value in row] for row in shown.itertuples(index=False)],
        "size": len(answer.table),
    }


def cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
