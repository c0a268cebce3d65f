"""`connform request`: sends one HTTP request and prints the answer. Layer 5. IO: the body, from a file or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, OUTPUT, POLICIES, common_flags, network_flags
from connform.cli.options import Options
from connform.cli.output import write_data, write_stderr
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.engine.run.state_location import StateLocation
from connform.faults import ExitCode

if TYPE_CHECKING:
    from connform.engine.request import RawAnswer

_STATUS_CODES = {401: ExitCode.CREDENTIAL_REJECTED, 403: ExitCode.CREDENTIAL_REJECTED, 429: ExitCode.COULD_NOT_VERIFY}
_ERRORS_FROM, _SERVER_ERRORS_FROM = 400, 500


@click.command(
    cls=Verb,
    examples={
        "connform request sandbox-us POST /packages/list --json '{\"take\": 10}'": "send JSON",
        "connform request sandbox-us GET /packages/42 --include": "show the status and the headers too",
        "connform request sandbox-us POST /documents --form file=@contract.pdf": "send a file",
    },
    page="reference/manifest",
)
@click.argument("name", shell_complete=completion_of("connections"))
@click.argument("method")
@click.argument("path")
@click.option("--json", "json_text", metavar="TEXT", help="A JSON body.")
@click.option("--data", metavar="@FILE|-", help="A body from a file or standard input.")
@click.option(
    "--form", "parts", multiple=True, metavar="NAME=TEXT|NAME=@FILE", help="A part of a multipart form. Repeatable."
)
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header. Repeatable.")
@click.option("--include", is_flag=True, help="Print the status and the headers before the body.")
@network_flags
@common_flags(FILES, POLICIES, OUTPUT)
def command(
    options: Options,
    *,
    name: str,
    method: str,
    path: str,
    json_text: str | None,
    data: str | None,
    parts: tuple[str, ...],
    headers: tuple[str, ...],
    include: bool,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Send one request through a ready client.

    PATH is relative to the connection's base URL. The credential is added by the client; a header can't replace it.
    """
    if sum(given is not None and given != () for given in (json_text, data, parts)) > 1:
        raise UsageProblem("--json, --data and --form exclude each other")
    body, content_type = _body(json_text, data)
    form = [_part(part) for part in parts]
    pairs = [_header(header) for header in headers]

    from connform.engine.request import request
    from connform.http.failures import NOT_A_REQUEST, mistake_in

    try:
        answer = request(
            options.files,
            name,
            method.upper(),
            path,
            simulate=simulate,
            body=body,
            content_type=content_type,
            form=form,
            headers=pairs,
            timeout_s=timeout_s,
            large=bool(options.output),
            policies=options.policies,
            state=state,
        )
    except NOT_A_REQUEST as error:
        raise UsageProblem(f"METHOD, PATH and --header make no HTTP request: {mistake_in(error)}") from None
    content = _pretty(answer, options)
    write_data(b"".join([_head(answer), content]) if include else content, options)
    code = exit_code(answer.status)
    if code is not ExitCode.OK:
        write_stderr(f"error: the API answered {answer.status}\n")
    return int(code)


def exit_code(status: int) -> ExitCode:
    """Return the exit code for an HTTP status."""
    if status < _ERRORS_FROM:
        return ExitCode.OK
    if status >= _SERVER_ERRORS_FROM:
        return ExitCode.COULD_NOT_VERIFY
    return _STATUS_CODES.get(status, ExitCode.INVALID)


def _body(json_text: str | None, data: str | None) -> tuple[bytes | None, str | None]:
    if json_text is not None:
        try:
            json.loads(json_text)
        except ValueError:
            raise UsageProblem("--json: not valid JSON") from None
        return json_text.encode(), "application/json"
    if data is None:
        return None, None
    if data == "-" and sys.stdin is None:
        raise UsageProblem("--data: standard input is closed")
    if data == "-":
        return sys.stdin.buffer.read(), None
    if not data.startswith("@"):
        raise UsageProblem("--data takes @FILE, or - for standard input")
    return _read("--data", data[1:]), None


def _part(text: str) -> tuple[str, str, bytes]:
    """Return name, file name and content of a part; a part without a file has no file name."""
    name, separator, value = text.partition("=")
    if not (separator and name):
        raise UsageProblem("--form takes NAME=TEXT or NAME=@FILE")
    if not value.startswith("@"):
        return name, "", value.encode()
    return name, Path(value[1:]).name, _read("--form", value[1:])


def _read(flag: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageProblem(f"{flag}: can't read the file: {error.strerror}") from error


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip() or not (text.isascii() and text.isprintable()):
        raise UsageProblem("--header takes 'NAME: VALUE', in ASCII")
    return name.strip(), value.strip()


def _head(answer: RawAnswer) -> bytes:
    lines = [f"HTTP {answer.status}", *(f"{name}: {value}" for name, value in answer.headers), "", ""]
    return "\n".join(lines).encode(errors="backslashreplace")


def _pretty(answer: RawAnswer, options: Options) -> bytes | memoryview:
    """Return the body: JSON is indented on a terminal; anything else is unchanged."""
    if options.output or not sys.stdout.isatty():
        return answer.body
    try:
        return json.dumps(json.loads(bytes(answer.body)), indent=2, ensure_ascii=True).encode() + b"\n"
    except ValueError:
        return answer.body
