"""The rules that tell flawed rows, with their limits and sources. data/quality.py asks them."""

from pydantic import Field

from tunewright.core.spec import Spec


class Rules(Spec):
    """The rules, with their limits; null turns one off."""

    empty: bool = True
    """An answer (or document) without a letter, digit or sign that says something."""
    placeholder: bool = True
    """An answer that stands for one: TBD, n/a, {{name}}, lorem ipsum (C4, arXiv:1910.10683)."""
    echo: float | None = Field(0.9, gt=0, le=1)
    """The share of word pairs that answer and question have in common (Jaccard) from which on it says the question again."""
    cut: bool = True
    """An answer that ends in the middle of a sentence, or with a bracket of JSON or a block of code left open."""
    refusal: bool = True
    """An answer that refuses, or speaks as an AI. Some such rows are wanted: then turn it off for their source."""
    min_words: int = Field(50, ge=1)
    """The rules below are asked of prose of at least so many words (MassiveText, arXiv:2112.11446, appendix A.1.1)."""
    word_length: tuple[float, float] | None = (3, 10)
    """The least and the most letters of a word, in the mean (MassiveText)."""
    symbols: float | None = Field(0.1, ge=0)
    """Hash signs and ellipses for each word, at most (MassiveText)."""
    stop_words: int | None = Field(2, ge=1)
    """Of one language's commonest words so many different ones (MassiveText has English ones); asked where words are
    written with blanks, in the languages of data/quality_text.py."""
    repeated_lines: float | None = Field(0.3, ge=0, le=1)
    """The share of lines that stood before, at most (MassiveText)."""
    repeated_words: float | None = Field(1.0, gt=0)
    """How far to go with MassiveText's limits of characters in repeated runs of words (of two words a fifth, …, of ten a
    tenth; of answers, which say the same clause of one thing after another, twice as much): times this."""
    ellipsis: float | None = Field(0.3, ge=0, le=1)
    """The share of lines that end in an ellipsis, at most (MassiveText)."""
    boilerplate: int | None = Field(2, ge=1)
    """So many different phrases of web pages' frames: privacy policy, uses cookies, enable javascript (C4)."""
    numbers: float | None = Field(0.2, ge=0, le=1)
    """Of documents: the share of words without a letter, at most (MassiveText); answers that reckon have more."""
    bullets: float | None = Field(0.9, ge=0, le=1)
    """Of documents: the share of lines that begin with a bullet, at most (MassiveText)."""
    unended_lines: float | None = Field(0.88, ge=0, le=1)
    """Of documents: the share of lines that end without punctuation, at most (FineWeb, arXiv:2406.17557)."""
    short_lines: float | None = Field(0.67, ge=0, le=1)
    """Of documents: the share of lines below 30 characters, at most (FineWeb)."""
