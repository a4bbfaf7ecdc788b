"""What every page stands in: templates that escape every text, a style sheet that the page's policy names by its hash."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tunewright.core.hidden import visible
from tunewright.report.text import clip, first_line

_TEMPLATES = Path(__file__).parent / "templates"


def drawn(template: str, **values: Any) -> str:
    """A page as HTML. It loads nothing and runs no script."""
    style = (_TEMPLATES / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    values = {
        **values,
        "style": Markup(style),  # ours, and its hash must be that of the bytes as written
        "style_hash": f"sha256-{digest}",
    }
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(share=_share, clip=clip, first_line=first_line)
    return environment


def _share(score: float) -> str:
    """One example's score: 0.75 is "75 %", without the decimal that means ask for."""
    return f"{100 * score:.3g} %"


def _shown(value: Any) -> Any:
    """Each value on its way to the page: markup of our own as it is, text with its hidden characters written out."""
    return value if isinstance(value, Markup) else visible(str(value))
