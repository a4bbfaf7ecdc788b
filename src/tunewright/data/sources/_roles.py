"""What people said to one another as the messages of a conversation."""

from collections.abc import Iterable

from tunewright.data.rows import BadRow


def joined(said: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Messages from (role, text), roles taking turns from a user's to an assistant's: what one says in a row is joined by a
    blank line; what stands before the first question or after the last answer is left out. Raises BadRow where no answer is.
    """
    turns: list[tuple[str, list[str]]] = []
    for role, text in said:
        if turns and turns[-1][0] == role:
            turns[-1][1].append(text)
        elif turns or role == "user":
            turns.append((role, [text]))
    if turns and turns[-1][0] == "user":
        turns.pop()
    if not turns:
        raise BadRow("no answer: nobody answers what is asked")
    return [{"role": role, "content": "\n\n".join(texts)} for role, texts in turns]
