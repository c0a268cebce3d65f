"""The style sheet of the format `html`, and its hash for the content security policy. Layer 4, no IO."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fff; --panel: #f6f8fa; --text: #1f2328; --muted: #59636e; --line: #d1d9e0; --link: #0969da; --mark: #fff1c2;
  --failed: #b91c24; --unknown: #855300; --ready: #1a7f37; --bar: #7d8894; --note: #fff8e5; --note-line: #d4a72c;
  --secret: #8250df; --dns: #bf8700; --tcp: #1b7c83; --tls: #bf3989; --http: #218bff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --panel: #161b22; --text: #e6edf3; --muted: #9da7b1; --line: #30363d; --link: #58a6ff; --mark: #5a4400;
    --failed: #ff7b72; --unknown: #e3b341; --ready: #56d364; --bar: #6e7681; --note: #272115; --note-line: #9e6a03;
    --secret: #a371f7; --dns: #d29922; --tcp: #39c5cf; --tls: #f778ba; --http: #58a6ff;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2rem 1.5rem 4rem; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre, td.address { font-family: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
h1, h2, h3, p, dl, dd, ul, ol, pre { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 650; margin: 0.25rem 0 1rem; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 600; margin: 2.5rem 0 0.75rem; padding-bottom: 0.4rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; font-weight: 600; margin: 1.5rem 0 0.5rem; }
article h3 { margin: 0; }
.muted, caption, .kind { color: var(--muted); font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.sign { display: inline-block; min-width: 1.35em; font-weight: 700; color: var(--muted); }
.sign.failed, .sign.error, .sign.remove, h1.failed .sign, span.failed { color: var(--failed); }
.sign.unknown, .sign.warning, .sign.update, .sign.move, h1.unknown .sign, span.warning { color: var(--unknown); }
.sign.ready, .sign.create, h1.ready .sign { color: var(--ready); }
.chip { display: inline-block; margin-left: 0.35rem; padding: 0.1rem 0.45rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--panel); font-weight: 400; }
.numbers { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-bottom: 1rem; }
.numbers li { min-width: 6.5rem; padding: 0.5rem 0.9rem; border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 6px; background: var(--panel); color: var(--muted); }
.numbers a { color: inherit; text-decoration: none; display: block; }
.numbers a:hover { text-decoration: underline; }
.numbers strong { display: block; font-size: 1.5rem; line-height: 1.2; color: var(--text); font-variant-numeric: tabular-nums; }
.numbers .failed, .numbers .error, .numbers .remove, article.failed, article.error, article.remove { border-left-color: var(--failed); }
.numbers .unknown, .numbers .warning, .numbers .update, .numbers .move, article.unknown, article.warning, article.update, article.move { border-left-color: var(--unknown); }
.numbers .ready, .numbers .create, article.create { border-left-color: var(--ready); }
.banner { margin: 1rem 0; padding: 0.6rem 0.9rem; border: 1px solid var(--note-line); border-radius: 6px; background: var(--note); }
.banner strong code { white-space: nowrap; }
.banner ul, article dd > ul { list-style: disc; padding-left: 1.2rem; }
nav { margin-top: 0.25rem; color: var(--muted); }
article { margin: 0 0 1rem; padding: 0.9rem 1.1rem; border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 6px; }
article > * + * { margin-top: 0.6rem; }
.names { columns: 11rem auto; column-gap: 1.25rem; }
.names li { break-inside: avoid; }
dl > div { display: grid; grid-template-columns: 7.5rem 1fr; gap: 0 0.75rem; padding: 0.15rem 0; }
dt { color: var(--muted); }
.stages .sign { min-width: 1.2em; }
.stages .skipped { color: var(--muted); }
.stages { display: flex; flex-wrap: wrap; gap: 0.15rem 1.25rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
pre { overflow-x: auto; padding: 0.5rem 0.75rem; border-radius: 6px; background: var(--panel); white-space: pre-wrap; }
pre code, td.address code { font-size: 1em; }
mark { background: var(--mark); color: inherit; border-bottom: 2px solid var(--failed); }
article.warning mark { border-bottom-color: var(--unknown); }
.related { margin-left: 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; text-align: left; vertical-align: top; font-weight: 400; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: 0.875rem; }
tbody th { font-weight: 500; }
tbody tr:hover { background: var(--panel); }
.connections { table-layout: fixed; }
.connections .name { width: 25%; padding-left: 1.35em; text-indent: -1.35em; }
.connections .method { width: 5.75em; }
.connections .picture { width: 10.75rem; }
.connections .number { width: 6.4em; }
.connections .since { width: 7.75em; padding-left: 0.75em; }
.when { width: 13em; }
time { white-space: nowrap; }
.what { width: 38%; }
td.address { line-height: 1.7; }
.group th { padding-top: 1.1rem; text-indent: 0; font-weight: 600; }
.group:hover { background: none; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.sign, .note, .chip { text-indent: 0; }
.note { display: block; text-indent: 0; color: var(--muted); font-weight: 400; }
svg { display: block; max-width: 100%; overflow: visible; }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-bottom: 0.5rem; font-size: 0.875rem; }
.key span { display: inline-flex; align-items: center; gap: 0.4rem; }
path.bar { fill: var(--bar); }
path.failed { fill: var(--failed); }
path.unknown { fill: var(--unknown); }
rect.s-secret { fill: var(--secret); }
rect.s-dns { fill: var(--dns); }
rect.s-tcp { fill: var(--tcp); }
rect.s-tls { fill: var(--tls); }
rect.s-http { fill: var(--http); }
summary { cursor: pointer; padding: 0.25rem 0; }
summary:target { background: var(--mark); }
details > dl, details > table { margin: 0.25rem 0 1rem 1.35rem; }
details > table { width: calc(100% - 1.35rem); }
.details > details { border-bottom: 1px solid var(--line); }
.findings > li { padding: 0.2rem 0; }
.findings dl { padding-left: 1.35rem; }
@media (max-width: 640px) {
  .names { columns: 8.5rem auto; }
  .what { width: auto; }
  .stacked thead { display: none; }
  .stacked tr { display: block; padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
  .stacked th, .stacked td { display: block; padding: 0; border: 0; }
  main { padding: 1rem 0.9rem 3rem; }
  h1 { font-size: 1.4rem; }
  .wide { display: none; }
  .numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(5.6rem, 1fr)); gap: 0.5rem; }
  .numbers li { min-width: 0; padding: 0.4rem 0.6rem; }
  .connections { table-layout: auto; }
  .connections th, .connections td { width: auto !important; }
  dl > div { grid-template-columns: 1fr; padding: 0.25rem 0; }
  details > dl, details > table { margin-left: 0; width: 100%; }
}
@media print {
  :root { color-scheme: light; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav, .details { display: none; }
  article, tr, .numbers { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  .connections .name { width: 28%; }
  .connections .picture { width: 90pt; }
  td.address { font-size: 7.5pt; }
  .numbers li, .chip, pre, .banner, rect, path, mark { print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
}
"""
"""The whole sheet. Nothing in it loads anything."""

_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""What a page of the format may load: its own style sheet, and the icon that is part of it. A server adds `frame-ancestors 'none'`."""
