"""JSON Schema validators in four languages, and the documents about which they are asked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import jsonschema

from connform.manifest.parser import parse
from connform.manifest.yaml_errors import YamlError
from tests.conftest import require_peer
from tests.fuzz.generate import document, mutate_data

ROOT = Path(__file__).parents[2]
MANIFESTS = [ROOT / "connections.yaml.example", *sorted((ROOT / "tests/manifest/broken").rglob("*.yaml"))]
_ENDS = ("\n", "\r", "\u2028", "\u00a0", " ")
"""What engines of regular expressions take for the end of a line, or for a blank, and others don't."""
_AJV = """
const [schema, documents] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const Ajv = require("ajv").default;
const validate = new Ajv({strict: false, validateFormats: false}).compile(schema);
console.log(JSON.stringify(documents.map((one) => validate(one))));
"""
_GO = """
package main

import ("encoding/json"; "os"; "github.com/xeipuuv/gojsonschema")

func main() {
    var given []interface{}
    if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil { panic(err) }
    schema, err := gojsonschema.NewSchema(gojsonschema.NewGoLoader(given[0]))
    if err != nil { panic(err) }
    verdicts := []bool{}
    for _, one := range given[1].([]interface{}) {
        result, err := schema.Validate(gojsonschema.NewGoLoader(one))
        if err != nil { panic(err) }
        verdicts = append(verdicts, result.Valid())
    }
    json.NewEncoder(os.Stdout).Encode(verdicts)
}
"""


def documents() -> list[Any]:
    """Return the manifests of the tests as data, manifests by chance, and both with texts that end oddly."""
    random = Random("validators")
    found = [data for file in MANIFESTS if (data := _parsed(file)) is not None]
    for _ in range(100):
        data = document(random)
        for _ in range(random.choice((0, 1, 1, 2))):
            mutate_data(random, data)
        found.append(data)
    return [*found, *(odd for data in found[::5] for odd in _with_odd_ends(data, random))]


def published() -> dict[str, Any]:
    """Return the schema of manifests as it lies in the repository."""
    schema: dict[str, Any] = json.loads((ROOT / "schema/connections.schema.json").read_text("utf-8"))
    return schema


def by_jsonschema(schema: dict[str, Any], given: list[Any]) -> list[bool]:
    """Python: jsonschema."""
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [validator.is_valid(one) for one in given]


def by_rust(schema: dict[str, Any], given: list[Any]) -> list[bool]:
    """Rust: jsonschema-rs."""
    import jsonschema_rs

    validator = jsonschema_rs.validator_for(schema)
    return [validator.is_valid(one) for one in given]


def by_ajv(schema: dict[str, Any], given: list[Any]) -> list[bool]:
    """JavaScript: ajv."""
    node = require_peer("node")
    modules = Path(require_peer("yaml-language-server")).parents[1]  # which brings ajv
    return _asked([node, "-e", _AJV], schema, given, {"NODE_PATH": str(modules)})


def go_validator(folder: Path) -> Callable[[dict[str, Any], list[Any]], list[bool]]:
    """Compile gojsonschema, as Debian packages it, into a folder; compiling takes some 30 seconds."""
    (folder / "main.go").write_text(_GO)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOPATH": "/usr/share/gocode",
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    build = [require_peer("go"), "build", "-o", str(folder / "validate"), "main.go"]
    subprocess.run(build, cwd=folder, env=environment, check=True)
    return lambda schema, given: _asked([str(folder / "validate")], schema, given, {})


def _asked(argv: list[str], schema: dict[str, Any], given: list[Any], environment: dict[str, str]) -> list[bool]:
    ran = subprocess.run(
        argv,
        input=json.dumps([schema, given]),
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    verdicts: list[bool] = json.loads(ran.stdout)
    return verdicts


def _parsed(file: Path) -> Any:
    try:
        return parse(file.read_bytes(), file.name)[0]
    except YamlError:
        return None


def _with_odd_ends(data: Any, random: Random) -> Iterator[Any]:
    """Yield a copy in which one text, or one key, ends oddly."""
    texts = list(_texts(json.loads(json.dumps(data))))
    for end in _ENDS if texts else ():
        copy = json.loads(json.dumps(data))
        holder, key, is_key = list(_texts(copy))[random.randrange(len(texts))]
        if is_key:
            holder[key + end] = holder.pop(key)
        else:
            holder[key] += end
        yield copy


def _texts(data: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Yield where each text and each key is: what holds it, its key there, and whether it is that key."""
    entries = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    for key, value in entries:
        if isinstance(key, str):
            yield data, key, True
        if isinstance(value, str):
            yield data, key, False
        yield from _texts(value)
