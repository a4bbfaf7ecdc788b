"""HTML: the page is one row, {text, title, document}; the text is Markdown with its headings, lists and tables.

Menus, banners and footers are left out (trafilatura tells them from the text). Scripts are not run, and nothing is fetched.
"""

import codecs
import re
from pathlib import Path

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._documents import TITLE, check_size, document_table
from tunewright.data.sources._plain import page_text, page_title
from tunewright.data.sources.markdown import first_heading
from tunewright.data.text import read_text

MOST_BYTES = 8 * 2**20
"""The most bytes of a page: reading one takes half a second for each megabyte, or ten times that."""
_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_SHORT = 250
"""Below so many characters the library keeps the words alone, and the page is read by its tags."""
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a page, in the encoding that it declares or else in this one. Raises BadFile."""
    check_size(path, MOST_BYTES)
    return document_table(path, (TITLE,), [_page(read_text(path, _declared(path) or encoding))])


def _declared(path: Path) -> str | None:
    """The encoding that a page declares, where there is such a one."""
    with path.open("rb") as stream:
        found = _DECLARED.search(stream.read(4096))
    if not found:
        return None
    try:
        return codecs.lookup(found[1].decode()).name
    except LookupError:
        return None


def _page(html: str) -> Row | Reject:
    text = _main_text(html)
    if text is None or len(text) < _SHORT:
        text = page_text(html) or text
    if not text or not text.strip():
        return Reject(1, "empty text: the page says nothing", html[:_RAW])
    return Row(1, {"text": text, TITLE: page_title(html) or first_heading(text)})


def _main_text(html: str) -> str | None:
    """The page's text without its frame, as Markdown; None where none could be told from the rest."""
    try:
        import trafilatura
    except ImportError:
        raise BadFile(
            "reading HTML needs a package that is not installed.", fix="pip install 'tunewright[documents]'"
        ) from None
    try:
        return trafilatura.extract(
            html,
            output_format="markdown",
            include_comments=False,
            include_formatting=True,
            include_links=False,
            include_tables=True,
        )
    except RecursionError:
        return None
