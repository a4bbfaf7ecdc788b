"""The operation redact on fields: equal things are equal in all rows, in every process, and their key is not to be had."""

import json
import random
import re
from pathlib import Path

import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Example, ask, make_example
from tunewright.core.files import read_json
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.op import FilesOnly
from tunewright.data.ops.redact import Before, Redact, each, writes
from tunewright.data.recipe import REPORT, graph, work

SEAL = re.compile(r"\[EMAIL_[0-9a-f]{12}\]")


def mail(at: int) -> str:
    return f"customer{at}@mail.example"


def bought(at: int, customer: int, **fields: object) -> Example:
    return make_example(
        ask(f"Where is parcel {at}?", "on its way"), fields={"customer": mail(customer), **fields}
    )


def customers(rows: list[Example]) -> list[object]:
    return [row.fields["customer"] for row in rows]


def test_groups_stay_what_they_were() -> None:
    rows = [bought(at, at % 7) for at in range(70)]
    made = customers(worked([Redact()], rows).kept)
    assert all(SEAL.fullmatch(one) for one in made)
    assert [made.index(one) for one in made] == [at % 7 for at in range(70)]
    assert customers(worked([Redact()], rows).kept) == made


def test_other_rows_are_another_key() -> None:
    rows = [bought(at, 0) for at in range(3)]
    one, other = (customers(worked([Redact()], given).kept)[0] for given in (rows, rows[:2]))
    assert one != other


def test_a_key_of_ones_own_holds_for_other_rows_too(tmp_path: Path) -> None:
    (tmp_path / "redact.key").write_bytes(b"0123456789abcdef")
    (tmp_path / "other.key").write_bytes(b"0123456789abcdeg")
    rows = [bought(at, 0) for at in range(3)]

    def first(given: list[Example], key: str) -> object:
        return customers(worked([Redact(key=key)], given, root=tmp_path).kept)[0]

    assert first(rows, "redact.key") == first(rows[:1], "redact.key") != first(rows, "other.key")
    (tmp_path / "other.key").write_bytes(b"short")
    with pytest.raises(
        DataError,
        match=r"redact\.key: the key 'other\.key' has 5 bytes, where 16 to 4,096 are wanted\. Have one ",
    ):
        first(rows, "other.key")
    with pytest.raises(
        DataError, match=r"the key 'none\.key' cannot be read: No such file or directory\. Name a"
    ):
        first(rows, "none.key")


def test_what_was_redacted_stays_as_it_is() -> None:
    once = worked([Redact()], [bought(1, 1, note="tel. 020 7946 0123")]).kept
    assert worked([Redact()], once).kept == once


def test_any_ten_digits_in_a_field_are_no_phone() -> None:
    drawn = random.Random(3)
    orders = [drawn.randrange(2_000_000_000, 9_999_999_999) for _ in range(300)]
    rows = [bought(at, 0, order=order, text=str(order)) for at, order in enumerate(orders)]
    made = worked([Redact()], rows).kept
    assert [row.fields["order"] for row in made] == orders
    assert [row.fields["text"] for row in made] == list(map(str, orders))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"phone": 4155550123}, "PHONE"),
        ({"mobileNumber": "4155550123"}, "PHONE"),
        ({"contact": {"home_tel": ["4155550123"]}}, "PHONE"),
        ({"phones": ["4155550123"], "phone": {"home": "4155550124"}}, "PHONE"),
        ({"phones": [{"number": 4155550123, "kind": "home"}]}, "PHONE"),
        ({"note": "+1 (415) 555-0123"}, "PHONE"),
        ({"note": "ring 4155550123 at noon"}, "PHONE"),
        ({"paid_with": 4111111111111111}, "CARD"),
        ({"account": "DE89370400440532013000"}, "IBAN"),
    ],
)
def test_what_says_what_it_is_is_found(fields: dict[str, object], kind: str) -> None:
    made = worked([Redact()], [make_example(ask("q", "a"), fields=fields)]).kept[0]
    assert re.search(rf"\[{kind}_[0-9a-f]{{12}}\]", json.dumps(made.fields))
    assert not re.search(r"\d{7}", re.sub(r"_[0-9a-f]{12}\]", "]", json.dumps(made.fields)))


@pytest.mark.parametrize("name", ["phone_id", "headphone", "telemetry", "cellar", "order", "phoneModel"])
def test_names_that_are_no_phones(name: str) -> None:
    row = make_example(ask("q", "a"), fields={name: 4155550123})
    assert worked([Redact()], [row]).kept == [row]


def test_names_that_become_equal_lose_no_value() -> None:
    names = ["ann@mail.example", "ANN@mail.example", "bob@mail.example"]
    row = make_example(
        ask("q", "a"), fields={"by": dict(zip(names, (1, 2, 3), strict=True)), names[0]: 4, names[1]: 5}
    )
    once = worked([Redact()], [row]).kept
    ann, ann_2, bob = once[0].fields["by"]
    assert [bool(SEAL.fullmatch(name)) for name in (ann, bob)] == [True, True]
    assert ann_2 == f"{ann}_2"
    assert once[0].fields == {"by": {ann: 1, ann_2: 2, bob: 3}, ann: 4, ann_2: 5}
    assert worked([Redact()], once).kept == once


def test_the_name_that_stands_keeps_it() -> None:
    row = make_example(ask("q", "a"), fields={"Ã©tÃ©": 1, "été": 2, "été_2": 3})
    (made,) = worked([Clean()], [row]).kept
    assert made.fields == {"été_3": 1, "été": 2, "été_2": 3}


def test_names_behind_it_are_known_before_it_runs() -> None:
    given = frozenset({"Ann", "customer name"})
    assert (writes(Redact(), given), writes(Redact(ner="m"), given)) == (given, None)
    mails = frozenset({"ann@mail.example"})
    assert (writes(Redact(), mails), writes(Redact(fields="keep"), mails)) == (None, mails)
    row = make_example(ask("I am Ann Lee", "a"), fields={"Ann": "x", "Lee": 1})
    assert list(worked([Redact()], [row]).kept[0].fields) == ["Ann", "Lee"]


def test_texts_inside_broken_json_are_numbered_as_the_row_is() -> None:
    key = "-----BEGIN PRIVATE KEY-----" + "A" * 60
    said = {"by": "ann@mail.example", "to": "bob@mail.example", "key": f'"{key}" and so on'}
    row = make_example(ask(json.dumps(said), "write to bob@mail.example"))
    (made,) = worked([Redact()], [row]).kept
    assert json.loads(made.input_text) == {
        "by": "[EMAIL_1]",
        "to": "[EMAIL_2]",
        "key": '"[SECRET_2]" and so on',
    }
    assert made.expected == "write to [EMAIL_2]"


def test_the_same_in_every_process(tmp_path: Path) -> None:
    rows = [bought(at, at % 977, note=f"by customer{at % 50}@mail.example") for at in range(21_000)]
    made = []
    for workers in (1, 2):
        node = graph([Redact(kinds=("email",))], ["rows"])[0]
        done = work(node, {"rows": rows}, tmp_path / str(workers), means=FilesOnly(tmp_path), workers=workers)
        made.append((done, (tmp_path / str(workers) / "rows.jsonl").read_bytes()))
    assert made[0] == made[1]
    assert made[0][0].report["counts"] == {"email": 42_000}
    assert made[0][0].report["samples"] == {"email": ["c…@…"]}


def test_the_report_tells_what_kinds_and_nothing_of_what_was_found(tmp_path: Path) -> None:
    rows = [bought(at, at, note="Ann Lee, 4111 1111 1111 1111") for at in range(3)]
    done = work(graph([Redact()], ["rows"])[0], {"rows": rows}, tmp_path)
    told = read_json(tmp_path / REPORT)
    assert told == done.report
    assert {kind: count for kind, count in told["counts"].items() if count} == {
        "email": 3,
        "card": 3,
        "person": 3,
    }
    assert told["samples"] == {"card": ["4…"], "email": ["c…@…"], "person": ["A… L…"]}
    assert told["not_looked_for"][0] == "url (left out)"
    accounts = "".join(path.read_text() for path in tmp_path.iterdir() if path.name != "rows.jsonl")
    assert not any(found in accounts for found in ("Ann", "Lee", "4111", "mail.example"))
    assert all(f"not looked for: {what}" in done.notes for what in told["not_looked_for"])


def test_numbered_fields_and_kept_ones_are_told() -> None:
    numbered, kept = (
        worked([Redact(fields=how)], [bought(1, 1)]).steps[0].notes[-1] for how in ("redact", "keep")
    )
    assert numbered.startswith("placeholders in fields are numbered within a row: ")
    assert kept == "not looked at: fields (fields: keep)"


@pytest.mark.parametrize("fields", ["hash", "redact", "keep"])
def test_many_rows_at_once_come_out_as_each_alone(fields: str) -> None:
    spec, given = Redact(fields=fields), Before(b"k" * 32, None)
    rows = [bought(at, at % 9, order=at, place={"who": "Ann Lee", "n": [1.5, None]}) for at in range(230)]
    rows[7] = make_example(ask("Is Ann Lee in?", "no"), fields={"n": 1e-7, "ok": True}, rejected="Ann is.")
    rows[8] = make_example(ask("nothing", "at all"), fields={"kind": "blank"})
    together, alone = each(spec, given), each(spec, given)
    assert together.many(rows) == [alone(row) for row in rows]
    assert together.report().as_json() == alone.report().as_json()
    assert together.many([]) == []
