from tunewright.project.reading import read
from tunewright.project.writing import to_yaml

VALUES = {
    "name": "tickets",
    "task": {
        "system": "Line one.\nLine two: with a colon.",
        "input": "{{ ticket }}",
        "output": {
            "type": "json",
            "schema": {"type": "object", "properties": {"no": {"enum": ["yes", "off", 1]}}},
        },
    },
    "sources": {"main rows": {"path": "../a b.csv", "columns": {"input": "text", "expected": "label: x"}}},
    "recipe": [{"op": "drop_duplicates"}, {"op": "sample", "rows": 10}],
    "baselines": {"few_shot": [2, 4]},
    "train": {"adapter": {"rank": 8}, "learning_rate": 0.001},
}


def test_what_is_written_reads_back(tmp_path):
    path = tmp_path / "tunewright.yaml"
    path.write_text(to_yaml(VALUES))
    file = read(path).model_dump(by_alias=True, mode="json")
    for name in ("task", "name"):
        assert file[name] == VALUES[name]
    assert file["sources"]["main rows"]["columns"] == {"input": "text", "expected": "label: x"}
    assert file["recipe"] == [
        {"id": None, "needs": [], "keep": "first", "field": None, "op": "drop_duplicates"},
        {
            **{"id": None, "needs": [], "op": "sample", "rows": 10, "share": None},
            **{"stratify_by": None, "shuffle": False, "seed": 0},
        },
    ]
    assert (file["train"]["adapter"]["rank"], file["baselines"]["few_shot"]) == (8, [2, 4])


def test_every_field_carries_its_doc():
    text = to_yaml(VALUES)
    assert "# Where the rows come from, by name.\nsources:" in text
    assert (
        "    # Rank r of the update; more for new skills, less for a format. Left out, chosen from the data.\n    rank: 8"
        in text
    )
