"""Whether code can be read by its language: parsed, never run.

fault("SELECT 1 FROM", "sql")  →  "it is not SQL: incomplete input"
"""

import ast
import warnings

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.synthetic.sql_syntax import sql_fault

_MOST = 200_000
"""Characters that are parsed."""


def fault(code: str, language: str, tables: str = "") -> str | None:
    """What is wrong with the code, in a few words; None where nothing is, or the language is not parsed here."""
    if len(code) > _MOST:
        return f"it has {len(code):,} characters, and {_MOST:,} are read at most"
    if "\0" in code:
        return "a NUL character stands in it"
    check = {"python": _python, "json": _json}.get(language)
    if language == "sql":
        return sql_fault(code, tables)
    return check(code) if check else None


def _python(code: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a teacher's code is no fault of ours
            ast.parse(code)
    except SyntaxError as error:
        return f"it is not Python: {error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"it is not Python: {str(error) or 'it nests too deep'}"
    return None


def _json(code: str) -> str | None:
    try:
        parse(code)
    except StrictJsonError as error:
        return f"it is not JSON: {error}"
    return None
