"""The JSON Schemas of URLs in a manifest. `urls.py` parses what they accept. Layer 1, no IO."""

from connform.manifest.shape import Schema

URL: Schema = {
    "type": "string",
    "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://",
    "x-code": "malformed-url",
    "x-compare": "url",
    "errorMessage": "a full URL is needed: https://host/path",
    "examples": ["https://api.acme.example/v1"],
}
"""The JSON Schema of a URL; `urls.parse_url` is stricter, and has more precise messages."""
ROOT_URL: Schema = {**URL, "x-compare": "root"}
"""The JSON Schema of a URL below which a program asks, so that a slash at its end says nothing."""
