"""What people ask, as they type it, and the page that answers it."""

from __future__ import annotations

QUESTIONS = {
    "rotate an API key": "guides/rotation",
    "replace a client secret without downtime": "guides/rotation",
    "write a policy": "guides/policies",
    "connect to another API that is not in the catalogue": "guides/providers",
    "keep state between CI runs": "reference/state",
    "lost key of the grants": "guides/oauth",
    "proxy own CA": "reference/manifest",
    "what does a check send": "reference/commands/check",
    "rename connection": "reference/state",
    "own secret backend": "guides/extending",
    "github actions": "guides/ci",
    "debug a failure": "guides/debugging",
    "unknown-region": "reference/diagnostics",
    "connform plan": "reference/commands/plan",
    "vault": "reference/secrets",
    "pytest fixture": "reference/library/connform.testing",
}
"""Question → the page that has to be among the first results."""
FIRST = 5
"""How many results a person looks at."""
