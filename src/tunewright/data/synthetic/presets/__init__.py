"""Presets of `generate`: one file each, found by its name; `preset.py` says what they are."""

from typing import Annotated

from pydantic import Field

from tunewright.data.synthetic.presets.back_instruction import BackInstructionPreset
from tunewright.data.synthetic.presets.dsl import DslPreset
from tunewright.data.synthetic.presets.evolve import EvolvePreset
from tunewright.data.synthetic.presets.pairs import PairsPreset
from tunewright.data.synthetic.presets.persona import PersonaPreset
from tunewright.data.synthetic.presets.query_rewriting import QueryRewritingPreset
from tunewright.data.synthetic.presets.questions import QuestionsPreset
from tunewright.data.synthetic.presets.refusals import RefusalsPreset
from tunewright.data.synthetic.presets.rephrase import RephrasePreset
from tunewright.data.synthetic.presets.thumbs import ThumbsPreset

Preset = Annotated[
    BackInstructionPreset
    | DslPreset
    | EvolvePreset
    | PairsPreset
    | PersonaPreset
    | QueryRewritingPreset
    | QuestionsPreset
    | RefusalsPreset
    | RephrasePreset
    | ThumbsPreset,
    Field(discriminator="type"),
]
