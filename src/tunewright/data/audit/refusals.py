"""Answers that refuse, told by their phrases in the languages that most data is in.

refuses("I'm sorry, but I can't help with that.")     # where the phrase stands, or None
"""

import re

HEAD = 300
"""Characters of an answer that are looked at: a refusal says so at once."""
_PHRASES = {
    "en": (
        r"\bi(?:'m| am) (?:very |so |really )?sorry,? (?:but )?(?:i|that'?s)\b.{0,40}"
        r"\b(?:can'?t|cannot|can not|unable|won'?t|not able)",
        r"\bi (?:can'?t|cannot|can not|won'?t|will not|must decline to|am unable to|am not able to|am not comfortable)"
        r" (?:help|assist|provide|answer|comply|fulfil|do that|discuss|create|generate|write|give|offer|share|engage)",
        r"\bi'm (?:unable|not able) to (?:help|assist|provide|answer|comply|fulfil|discuss|create|generate|write|give)",
        r"\bas an? (?:ai|artificial intelligence|large language model|language model)\b",
        r"\b(?:against|violates?) my (?:guidelines|programming|policy|policies)\b",
    ),
    "de": (
        r"\bich kann (?:(?:dir|ihnen|euch|dabei|damit|hierbei|das|diese|leider|aber|nicht)\s+){0,4}nicht (?:\w+ )?"
        r"(?:helfen|weiterhelfen|beantworten|bereitstellen|unterstützen|erfüllen)",
        r"\bals (?:ki|künstliche intelligenz|sprachmodell|ki-modell|ki-assistent)\b",
    ),
    "fr": (
        r"\bje (?:suis désolé.{0,20})?ne (?:peux|suis) pas (?:(?:vous|t'|en mesure de|à même de) ?){0,2}"
        r"(?:aider|répondre|fournir|vous aider)",
        r"\ben tant qu(?:e |')(?:ia|intelligence artificielle|modèle de langage|assistant ia)\b",
    ),
    "es": (
        r"\bno puedo (?:ayudar|proporcionar|responder|cumplir|ofrecer|asistir|generar)",
        r"\bcomo (?:modelo de lenguaje|ia|inteligencia artificial|asistente de ia)\b",
    ),
    "it": (
        r"\bnon posso (?:aiutar|fornir|risponder|soddisfare|assister)",
        r"\bcome (?:modello linguistico|ia|intelligenza artificiale|assistente ia)\b",
    ),
    "pt": (
        r"\bnão posso (?:ajudar|fornecer|responder|ajudá|atender|gerar)",
        r"\bcomo (?:um |uma )?(?:modelo de linguagem|ia|inteligência artificial)\b",
    ),
    "nl": (
        r"\bik kan (?:(?:je|u|daar|hier|dat|helaas) ){0,3}niet (?:mee |bij )?(?:helpen|beantwoorden|geven)",
        r"\bals (?:ai|taalmodel|ai-model|ai-assistent)\b",
    ),
    "pl": (
        r"\bnie mogę (?:\w+ )?(?:pomóc|odpowiedzieć|dostarczyć|spełnić)",
        r"\bjako (?:model językowy|sztuczna inteligencja)",
    ),
    "cs": (
        r"\bnemohu (?:\w+ )?(?:pomoci|pomoct|odpovědět|poskytnout|vyhovět)",
        r"\bjako (?:jazykový model|umělá inteligence)",
    ),
    "ru": (
        r"\bя не могу (?:\w+ )?(?:помочь|ответить|предоставить|выполнить)",
        r"\bкак (?:языковая модель|искусственный интеллект|ии)\b",
    ),
    "zh": (
        r"我(?:无法|不能|没办法)(?:帮助|提供|回答|协助|满足|完成)",
        r"作为(?:一个|一名)?(?:ai|人工智能|(?:大型)?语言模型)",
    ),
    "ja": (
        r"(?:お手伝い|お答え|回答|提供)(?:すること)?(?:は|が)?できません",
        r"(?:aiとして|言語モデルとして)",
    ),
    "ko": (r"(?:도와드릴|답변할|답변드릴|제공할) 수 없", r"(?:ai|인공지능) ?(?:언어 ?모델)?(?:로서|이기 때문)"),
}  # fmt: skip
_REFUSES = {language: re.compile("|".join(phrases), re.DOTALL) for language, phrases in _PHRASES.items()}
_STEMS = {
    "en": ("sorry", "i can", "i won't", "i will not", "i must", "i am ", "i'm ", "as an ", "as a l", "my "),
    "de": ("ich kann", "als ki", "als kün", "als spra"),
    "fr": ("je ", "en tant qu"),
    "es": ("no puedo", "como "),
    "it": ("non posso", "come "),
    "pt": ("não posso", "como "),
    "nl": ("ik kan", "als ai", "als taal"),
    "pl": ("nie mogę", "jako "),
    "cs": ("nemohu", "jako "),
    "ru": ("я не могу", "как "),
    "zh": ("我", "作为"),
    "ja": ("できません", "として"),
    "ko": ("수 없", "로서", "때문"),
}  # fmt: skip
"""What one of a language's phrases must have: looking for these first is a hundred times as quick."""


def refuses(answer: str) -> int | None:
    """Where in an answer it says that it will not answer; None where it does not say so in its first characters."""
    head = answer[:HEAD].lower().replace("\u2019", "'")
    for language, stems in _STEMS.items():
        for stem in stems:
            if stem in head:
                found = _REFUSES[language].search(head)
                if found:
                    return found.start()
                break
    return None
