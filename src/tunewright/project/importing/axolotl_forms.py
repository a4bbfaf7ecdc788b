"""Which form an Axolotl data set's `type` and its other keys say; a line for each of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tunewright.data.forms import PRESETS
from tunewright.data.forms.markup import MARKUP
from tunewright.data.forms.spec import MESSAGE_PARTS, FormSpec
from tunewright.data.thinking import THINKING_KEYS
from tunewright.project.importing.carried import SAYS_NOTHING, Ledger
from tunewright.project.importing.trial import written_form

_STYLES = ("load", "load_chat", "load_instruct", "load_no_prompt", "load_concise", "load_open_orca_chatml")
_OTHER_NAMES = {
    "pretrain": "completion",
    "alpaca_instruct": "alpaca",
    "orcamini": "alpaca_w_system",
    "alpaca_w_system.load_open_orca_chatml": "alpaca_w_system.load_open_orca",
    "llama2_chat": "sharegpt",
}
_PREFERENCES = {
    "chat_template.default": "dpo.chat_template",
    "chat_template": "dpo.chat_template",
    "chat_template.argilla_chat": "dpo.argilla_chat",
    "zephyr.nectar": "dpo.nectar",
    "chatml": "preference",
    "llama3": "preference",
    "passthrough": "passthrough",
    "passthrough.default": "passthrough",
}
_ROLES = ("system", "developer", "user", "assistant", "tool")
_FORMATS = {"format": "user", "no_input_format": "user_alone", "prompt_format": "user"}


_THINKING = ("field_thinking", "template_thinking_key")
"""Keys that say that turns have thinking: the turns' own key for it, and the template's."""
_MAPPED = "message_property_mappings"


class Entry(NamedTuple):
    """One data set of the config."""

    at: str
    """Its place: `datasets[0]`."""
    values: Mapping[str, Any]


_REFUSED = object()
"""In place of a form: the rows cannot be carried."""
_NOT_TRAINED = {
    "stepwise_supervised": "no model that rates steps is trained here; form: stepwise reads rated steps as a rated answer",
    "_synthetic": "made-up tokens are not trained",
}
"""Type → why its rows are not trained."""


def said_of(entry: Entry, known: set[str], ledger: Ledger) -> dict[str, Any] | None:
    """What the config says of the rows, as a source has it: `form`, unless the rows tell it, and `thinking`.

    None where the rows cannot be carried. A line for each key but the known.
    """
    values, kind = entry.values, entry.values.get("type")
    spec = _typed(entry, ledger)
    done = {*known, "type"}
    thinking: dict[str, str] = {}
    if spec is not None and spec is not _REFUSED:
        done |= _options(entry, ledger, spec)
        thinking = _thinking(entry, ledger, spec, done)
    for key, value in values.items():
        if key not in done:
            why = (
                SAYS_NOTHING
                if value in (None, "", [], {})
                else LEFT.get(key, "unknown: no key of a data set that is known here")
            )
            ledger.leave(f"{entry.at}.{key}", value, why)
    if spec is _REFUSED:
        return None
    if spec is None:
        return {}
    try:
        form = written_form(spec)
    except ValueError as error:
        ledger.leave(f"{entry.at}.type", kind, f"no form can be made of it: {error}")
        return {}
    if not isinstance(kind, dict):
        why = ""
        if spec["name"] == "dpo.nectar":
            why = "say which rank is the best: form.best, lowest or highest"
        elif spec["name"] in ("creative_acr.load_critique", "creative_acr.load_revise"):
            why = "asked in fewer words: form.formats.user"
        elif isinstance(kind, str) and (":" in kind or kind.startswith(("chatml.", "llama3."))):
            why = "turns are put together by the base's own template"
        ledger.tell(f"{entry.at}.type", kind, "changed" if why else "carried", f"form {spec['name']}", why)
    return {"form": form, **thinking}


def _typed(entry: Entry, ledger: Ledger) -> Any:
    """The form that a data set's type names: a spec to be filled, none where it is unknown, or `_REFUSED`."""
    kind, rl = entry.values.get("type"), ledger.config.get("rl")
    if isinstance(kind, dict):
        return _defined(entry, kind, ledger)
    if not kind:
        ledger.leave(
            f"{entry.at}.type",
            kind,
            "without a type rows are token ids, which mean something to one tokenizer; give the rows as they were before",
        )
        return _REFUSED
    word = str(kind).partition(":")[0]
    if word in _NOT_TRAINED:
        ledger.leave(f"{entry.at}.type", kind, _NOT_TRAINED[word])
        return _REFUSED
    name = _form_name(word, str(rl) if rl else None)
    if name is None:
        ledger.leave(
            f"{entry.at}.type", kind, "no form is called so, and code is not run; set form for the source"
        )
        return None
    return {"name": name}


def _form_name(word: str, rl: str | None) -> str | None:
    head, _, tail = word.partition(".")
    if rl == "orpo" and word.startswith("chat_template"):
        return "orpo.chat_template"
    if rl == "kto" and head in ("chatml", "llama3"):
        return f"kto.{tail}" if f"kto.{tail}" in PRESETS else None
    if rl in ("dpo", "ipo", "simpo"):
        if word in _PREFERENCES:
            return _PREFERENCES[word]
        return f"dpo.{tail}" if head in ("chatml", "llama3") and f"dpo.{tail}" in PRESETS else None
    if word in _OTHER_NAMES:
        return _OTHER_NAMES[word]
    if word in PRESETS:
        return word
    if head == "bradley_terry":
        return "bradley_terry"
    head = _OTHER_NAMES.get(head, head)
    return head if tail in _STYLES and head in PRESETS else None


def _defined(entry: Entry, kind: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    """The form of a type that the config defines itself, by its fields and formats."""
    rl = ledger.config.get("rl")
    name = "rated" if rl == "kto" else "preference" if rl else "alpaca"
    keys: dict[str, str] = {} if rl else {"history": "", "tools": ""}
    formats: dict[str, str] = {}
    spec: dict[str, Any] = {"name": name, "keys": keys, "formats": formats}
    for key, value in kind.items():
        place = f"{entry.at}.type.{key}"
        part = {"label": "rating"}.get(key.removeprefix("field_"), key.removeprefix("field_"))
        if value in (None, ""):
            ledger.leave(place, value, SAYS_NOTHING)
        elif (
            key.startswith("field_")
            and part in {**PRESETS[name].keys, "system": ""}
            and isinstance(value, str)
        ):
            keys[part] = value
            ledger.tell(place, value, "carried", f"form.keys.{part}", "")
        elif key == "system_prompt" and isinstance(value, str):
            spec["system"] = value
            ledger.tell(place, value, "carried", "form.system", "")
        elif key in _FORMATS and isinstance(value, str):
            _format(place, key, value, formats, ledger)
        else:
            ledger.leave(place, value, "the base's own template puts it")
    if not formats:
        del spec["formats"]
    return spec


def _format(place: str, key: str, value: str, formats: dict[str, str], ledger: Ledger) -> None:
    """A prompt's format is kept where it is words; a template's markup around turns is the base's own to put."""
    if value.strip() in ("{prompt}", "{instruction}"):
        ledger.tell(place, value, "carried", "form", "")
    elif MARKUP.search(value) or "{system}" in value:
        ledger.leave(place, value, "the base's own template puts a turn's markup and the system message")
    else:
        formats[_FORMATS[key]] = value.strip()
        ledger.tell(place, value, "carried", f"form.formats.{_FORMATS[key]}", "")


def _options(entry: Entry, ledger: Ledger, spec: dict[str, Any]) -> set[str]:
    """What a data set's other keys say of its form; the keys that were read."""
    values, keys, done = entry.values, dict(spec.get("keys", {})), set[str]()
    parts = PRESETS[spec["name"]].keys
    fields = {
        "field_messages": "messages",
        "field_tools": "tools",
        "field_chosen": "chosen",
        "field_rejected": "rejected",
    }
    fields |= {"field": "text", "text_column": "text"}
    for key, part in fields.items():
        if (value := values.get(key)) and part in parts and isinstance(value, str):
            if parts[part] != value:
                keys[part] = value
            ledger.tell(f"{entry.at}.{key}", value, "carried", f"form.keys.{part}", "")
            done.add(key)
    spec["keys"] = keys
    done |= _message_keys(entry, ledger, spec)
    done |= _roles(entry, ledger, spec)
    if values.get("drop_system_message") is not None:
        spec["drop_system"] = bool(values["drop_system_message"])
        ledger.tell(
            f"{entry.at}.drop_system_message",
            values["drop_system_message"],
            "carried",
            "form.drop_system",
            "",
        )
        done.add("drop_system_message")
    return done


def _message_keys(entry: Entry, ledger: Ledger, spec: dict[str, Any]) -> set[str]:
    """The keys of a turn's parts."""
    values, done, found = entry.values, set[str](), dict[str, str]()
    single = {
        "message_field_role": "role",
        "message_field_content": "content",
        "message_field_training": "train",
        "message_field_training_detail": "train_detail",
    }
    for key, part in single.items():
        if isinstance(values.get(key), str) and values[key]:
            found[part] = values[key]
            ledger.tell(f"{entry.at}.{key}", values[key], "carried", f"form.message_keys.{part}", "")
            done.add(key)
    for part, key in _mapped(entry).items():
        at = f"{entry.at}.{_MAPPED}.{part}"
        done.add(_MAPPED)
        if part in THINKING_KEYS:
            continue  # told with the others that say so
        if part in MESSAGE_PARTS and isinstance(key, str):
            found[part] = key
            ledger.tell(at, key, "carried", f"form.message_keys.{part}", "")
        else:
            ledger.leave(at, key, "a turn has no such part here")
    there = {"role": "role", "content": "content", **PRESETS[spec["name"]].message_keys}
    differing = {part: key for part, key in found.items() if there.get(part, part) != key}
    if differing:
        spec["message_keys"] = differing
    return done


def _thinking(entry: Entry, ledger: Ledger, spec: dict[str, Any], done: set[str]) -> dict[str, str]:
    """The source's `thinking` where a key says that turns have some, and its key in a turn; adds to the keys `done`."""
    turns = FormSpec(name=spec["name"]).has_turns
    mapped = {f"{_MAPPED}.{part}": key for part, key in _mapped(entry).items() if part in THINKING_KEYS}
    given = {key: entry.values[key] for key in _THINKING if key in entry.values} | mapped
    inline = False
    for key, value in given.items():
        place = f"{entry.at}.{key}"
        if not turns or not value:
            if key in mapped:  # the others are told with what goes nowhere
                ledger.leave(place, value, LEFT["field_thinking"] if value else SAYS_NOTHING)
            continue
        done.add(key)
        if why := _not_thinking(key, value, spec):
            ledger.leave(place, value, why)
            continue
        inline = True
        why = "put before the answer, between <think> and </think>"
        ledger.tell(place, value, "changed", "thinking: inline", why)
        if key != "template_thinking_key" and value not in THINKING_KEYS:
            spec["message_keys"] = {**spec.get("message_keys", {}), "thinking": value}
    return {"thinking": "inline"} if inline else {}


def _not_thinking(key: str, value: Any, spec: Mapping[str, Any]) -> str:
    """Why thinking is not read from the turns' key that the config's `key` names; blank where it is."""
    if not isinstance(value, str) or not value.strip():
        return "it is no name of a key"
    if key == "template_thinking_key" or value in THINKING_KEYS:
        return ""
    own = spec.get("message_keys", {})
    chosen = own.get("thinking", value)
    if chosen != value:
        return f"a turn has one key for its thinking, and that is {chosen!r}"
    try:
        written_form({"name": spec["name"], "message_keys": {**own, "thinking": value}})
    except ValueError as error:
        return str(error)
    return ""


def _mapped(entry: Entry) -> Mapping[Any, Any]:
    """A turn's parts → the rows' keys for them."""
    found = entry.values.get(_MAPPED)
    return found if isinstance(found, dict) else {}


def _roles(entry: Entry, ledger: Ledger, spec: dict[str, Any]) -> set[str]:
    """What those who speak are called, and whose turns are trained."""
    values, done = entry.values, set[str]()
    given = values.get("roles")
    known = PRESETS[spec["name"]].roles
    laid: dict[str, str] = {}
    for role, words in given.items() if isinstance(given, dict) else ():
        at = f"{entry.at}.roles.{role}"
        if role in _ROLES and isinstance(words, list):
            laid |= {str(word): role for word in words if known.get(str(word)) != role}
            ledger.tell(at, words, "carried", "form.roles", "")
        else:
            ledger.leave(at, words, "there is no such role")
        done.add("roles")
    if laid:
        spec["roles"] = laid
    trained = values.get("roles_to_train")
    if trained is not None:
        done.add("roles_to_train")
        answers = [str(each) for each in trained] if isinstance(trained, list) else [str(trained)]
        if answers and all({**known, **laid}.get(each) == "assistant" for each in answers):
            ledger.tell(
                f"{entry.at}.roles_to_train",
                trained,
                "carried",
                "always so",
                "the assistant's turns are trained",
            )
        else:
            ledger.leave(
                f"{entry.at}.roles_to_train", trained, "the assistant's turns are trained, and no others"
            )
    for key in ("train_on_eos", "train_on_eot"):
        if values.get(key) is not None:
            done.add(key)
            why = "every trained turn ends with its trained end"
            if values[key] == "turn":
                ledger.tell(f"{entry.at}.{key}", values[key], "carried", "always so", why)
            else:
                ledger.leave(f"{entry.at}.{key}", values[key], why)
    return done


LEFT = {
    "ds_type": "a file's format is told by its ending, or by sources.*.format",
    "field": "the form has no text",
    "field_messages": "the form has no messages",
    "field_tools": "the form has no tools",
    "field_chosen": "the form has no pair",
    "field_rejected": "the form has no pair",
    "field_thinking": "the form has no turns that thinking could stand beside",
    "template_thinking_key": "the form has no turns that thinking could stand beside",
    "split_thinking": "an answer is trained as it is written",
    "chat_template": "the base's own template puts turns together",
    "chat_template_jinja": "the base's own template puts turns together",
    "shards": "all rows are read",
    "shards_idx": "which shard it is, the seed says",
    "preprocess_shards": "rows are read one by one",
    "trust_remote_code": "code is not run from a hub",
    "conversation": "the base's own template puts turns together",
    "field_human": "a form's roles say who speaks",
    "field_model": "a form's roles say who speaks",
    "step_separator": "steps are not rated",
    "max_completion_length": "train.max_length holds for whole rows",
    "train_on_last_step_only": "steps are not rated",
    "temperature": "there are no teachers' probabilities in the rows",
    "logprobs_field": "there are no teachers' probabilities in the rows",
    "input_format": "the base's own template puts turns together",
    "input_transform": "code is not run from a config",
    "skip": "all rows are read",
}
"""Why a data set's key goes nowhere."""
