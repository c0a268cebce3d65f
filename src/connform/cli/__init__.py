"""The command line's tables: the module of each verb and its help in one line, and the groups in which help lists them.

Layer 5. A new verb is one module with `command`, one line here and its name in a group; help reads the table and imports no verb.
"""

VERBS: dict[str, tuple[str, str]] = {
    "init": ("connform.cli.init", "Write a commented connections.yaml."),
    "validate": ("connform.cli.validate", "Check manifests offline, without secrets and network."),
    "fmt": ("connform.cli.fmt", "Write manifests in the canonical layout."),
    "check": ("connform.cli.check", "Check connections live; change nothing."),
    "monitor": ("connform.cli.monitor", "Check connections until stopped; serve a page and metrics."),
    "plan": ("connform.cli.plan", "Show what apply would do; change nothing."),
    "apply": ("connform.cli.apply", "Resolve, check and record what changed."),
    "state": ("connform.cli.state", "List, show, rename, forget, export or copy what is recorded."),
    "secrets": ("connform.cli.secrets", "Read secrets without showing them; list the backends."),
    "doctor": ("connform.cli.doctor", "Say what works here and what is missing for a manifest."),
    "list": ("connform.cli.list", "List the connections."),
    "show": ("connform.cli.show", "Show every effective value of one connection."),
    "providers": ("connform.cli.providers", "List the providers, show one, replay its examples."),
    "graph": ("connform.cli.graph", "Draw the connections with their templates and stores."),
    "login": ("connform.cli.login", "Obtain a customer's grant for an OAuth connection."),
    "logout": ("connform.cli.logout", "Revoke a grant where its server can, and delete it."),
    "token": ("connform.cli.token", "Print an access token, renewed where that is needed."),
    "exec": ("connform.cli.exec", "Run a command with connections in its environment."),
    "proxy": ("connform.cli.proxy", "Offer connections to programs that never see the credential."),
    "request": ("connform.cli.request", "Send one request through a ready client."),
    "simulator": ("connform.cli.simulator", "Run the simulated iinked Sign until interrupted."),
    "explain": ("connform.cli.explain", "Say what a code means, why it is so and what to do."),
    "schema": ("connform.cli.schema", "Print the JSON Schema of manifests or of reports."),
    "completion": ("connform.cli.completion", "Print the completion script of a shell."),
    "version": ("connform.cli.version", "Print the version."),
    "help": ("connform.cli.help", "Print the help of a command, or a page of the manual."),
}
"""Verb → its module, and its one line of help."""

GROUPS: dict[str, tuple[str, ...]] = {
    "First steps": ("init", "validate", "check", "doctor"),
    "Every day": ("plan", "apply", "list", "show", "request"),
    "Grants and secrets": ("login", "logout", "token", "exec", "proxy", "secrets"),
    "State": ("state", "monitor", "graph"),
    "Manifests": ("fmt", "explain", "providers", "schema"),
    "Other": ("simulator", "completion", "version", "help"),
}
"""Title of a group → its verbs."""
