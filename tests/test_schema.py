"""The JSON Schema of definitions."""

import json

import pytest

from audiopipe.document import read_document
from audiopipe.ready import ready_pipelines
from audiopipe.registry import find_stage, stage_names
from audiopipe.schema import json_schema


class TestSchema:
    """What editors complete from; without jsonschema its structure is what can be tested."""

    def references(self, value):
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            for item in value.values():
                yield from self.references(item)
        elif isinstance(value, list):
            for item in value:
                yield from self.references(item)

    def test_it_is_json_and_its_references_are_there(self):
        schema = json.loads(json.dumps(json_schema()))
        for reference in self.references(schema):
            assert reference.removeprefix("#/$defs/") in schema["$defs"]

    def test_a_stage_is_a_name_or_a_mapping(self):
        stages = json_schema()["properties"]["stages"]["anyOf"]
        names, *uses = stages[0]["additionalProperties"]["anyOf"]
        assert stages[1]["items"] == stages[0]["additionalProperties"]
        assert names == {"enum": list(stage_names())}
        assert [use["properties"]["use"]["const"] for use in uses] == list(stage_names())
        for use in uses:
            assert use["additionalProperties"] is False
            assert use["required"][0] == "use"
            options = set(use["properties"]) - {"use", "from"}
            assert options == set(find_stage(use["title"]).model_fields)

    @pytest.mark.parametrize("path", sorted(ready_pipelines().values()), ids=lambda p: p.stem)
    def test_it_knows_all_that_ready_pipelines_say(self, path):
        schema = json_schema()
        data = read_document(path).data
        assert set(data) <= set(schema["properties"])
        uses = schema["properties"]["stages"]["anyOf"][1]["items"]["anyOf"][1:]
        options = {use["title"]: set(use["properties"]) for use in uses}
        for stage in data["stages"].values():
            assert set(stage) <= options[stage["use"]]

    def test_every_option_says_what_it_is(self):
        for name in stage_names():
            described = find_stage(name).model_json_schema()["properties"]
            assert all(option.get("description") for option in described.values()), name
