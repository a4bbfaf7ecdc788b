"""Operations of recipes: one file each, found by its name; `op.py` says what they are."""

from typing import Annotated

from pydantic import Field

from tunewright.data.ops.balance import Balance
from tunewright.data.ops.boilerplate import Boilerplate
from tunewright.data.ops.chunk import Chunk
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.decontaminate import Decontaminate
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates
from tunewright.data.ops.drop_similar import DropSimilar
from tunewright.data.ops.filter import Filter
from tunewright.data.ops.generate import Generate
from tunewright.data.ops.judge import Judge
from tunewright.data.ops.language import Language
from tunewright.data.ops.map import Map
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.ops.max_tokens import MaxTokens
from tunewright.data.ops.mix import Mix
from tunewright.data.ops.perplexity import Perplexity
from tunewright.data.ops.quality import Quality
from tunewright.data.ops.redact import Redact
from tunewright.data.ops.review import Review
from tunewright.data.ops.sample import Sample

__all__ = [
    "Balance",
    "Boilerplate",
    "Chunk",
    "Clean",
    "Decontaminate",
    "DropContradictions",
    "DropDuplicates",
    "DropNearDuplicates",
    "DropSimilar",
    "Filter",
    "Generate",
    "Judge",
    "Language",
    "Map",
    "MaxChars",
    "MaxTokens",
    "Mix",
    "Perplexity",
    "Quality",
    "RecipeOp",
    "Redact",
    "Review",
    "Sample",
]
RecipeOp = Annotated[
    Balance
    | Boilerplate
    | Chunk
    | Clean
    | Decontaminate
    | DropContradictions
    | DropDuplicates
    | DropNearDuplicates
    | DropSimilar
    | Filter
    | Generate
    | Judge
    | Language
    | Map
    | MaxChars
    | MaxTokens
    | Mix
    | Perplexity
    | Quality
    | Redact
    | Review
    | Sample,
    Field(discriminator="op"),
]
