"""Mistakes in an entry of `providers:`: what is changed in a good one, and the diagnostic that must come of it."""

from __future__ import annotations

from typing import NamedTuple

GOOD = """\
version: 1
providers:
  acme/crm:
    title: Acme CRM
    environments:
      sandbox: {class: test, host: sandbox.acme.example, login: login.acme.example}
      production:
        regions:
          eu: {host: eu.acme.example, login: login.acme.example}
          us: {host: us.acme.example, login: login.acme.example}
      private: {host: "{tenant}.acme.example", login: login.acme.example, own_root: besides}
    settings:
      tenant: {pattern: "[a-z]+", examples: [zoo]}
    root: https://{host}/v1
    key_page: "{origin}/keys"
    auth:
      key:
        secrets: {api_key: {}, app_key: {optional: true}}
        headers: {X-Api-Key: "{api_key}", X-App-Key: "Token {app_key}"}
      oauth2:
        secrets: {client_secret: {}}
        flow: authorization_code
        authorize_url: https://{login}/authorize
        token_url: https://{login}/token
    check: {method: GET, path: /me}
    safe_posts: [/search]
    error_code: {at: /error/code, pattern: "[a-z_]+"}
    answers:
      - {status: [200], means: ready, body: {type: object, required: [id]}}
      - {status: [401], code: expired, means: auth_rejected, hint: renew it}
      - {status: [401, 403], means: auth_denied}
    examples:
      - {status: 401, body: {error: {code: expired}}, means: auth_rejected}
    sources:
      - {url: https://docs.acme.example/api, read: 2026-11-29, says: everything}
"""


class Mistake(NamedTuple):
    """One change, and what must be said of it."""

    before: str
    after: str
    code: str
    place: str
    """`line:column`."""
    said: str
    """A part of the message or of its hint."""


MISTAKES = {
    "an unknown key": Mistake("    title:", "    titel: x\n    title:", "unknown-key", "4:5", "did you mean `title`?"),
    "a missing key": Mistake("    title: Acme CRM\n", "", "missing-key", "3:3", "needs `title`"),
    "an unknown class of an environment": Mistake("class: test", "class: tests", "unknown-value", "6:24", "did you mean `test`?"),
    "a value that is a number": Mistake("host: sandbox.acme.example", "host: 7", "wrong-type", "6:36", "a text belongs here"),
    "an environment in capitals": Mistake("      sandbox: {", "      Sandbox: {", "bad-name", "6:7", "small letters"),
    "a method in capitals": Mistake("      oauth2:", "      OAuth2:", "bad-name", "20:7", "a name starts with a small letter"),
    "a method of check requests that changes something": Mistake("method: GET", "method: PUT", "unknown-value", "25:21", "`GET`, `HEAD`, `POST`"),
    "a pointer that is none": Mistake("at: /error/code", "at: error.code", "malformed-value", "27:22", "RFC 6901"),
    "a condition that says false": Mistake("body: {type: object, required: [id]}", "empty: false", "unknown-value", "29:46", "leave the key out"),
    "no methods at all": Mistake('    auth:\n      key:\n        secrets: {api_key: {}, app_key: {optional: true}}\n        headers: {X-Api-Key: "{api_key}", X-App-Key: "Token {app_key}"}\n      oauth2:\n        secrets: {client_secret: {}}\n        flow: authorization_code\n        authorize_url: https://{login}/authorize\n        token_url: https://{login}/token\n', "    auth: {}\n", "out-of-range", "16:5", "at least 1 entry"),
    "an unknown name": Mistake("root: https://{host}/v1", "root: https://{hots}/v1", "unknown-placeholder", "14:11", "did you mean `host`?"),
    "an unknown name in the page of keys": Mistake("{origin}/keys", "{orign}/keys", "unknown-placeholder", "15:15", "did you mean `origin`?"),
    "the origin in the root": Mistake("root: https://{host}/v1", 'root: "{origin}/v1"', "unknown-placeholder", "14:11", "`{origin}` is that of the root"),
    "a value in a value": Mistake("host: sandbox.acme.example", 'host: "{login}"', "unknown-placeholder", "6:36", "no value stands in another"),
    "an unknown name in a value": Mistake('"{tenant}.acme.example"', '"{tennant}.acme.example"', "unknown-placeholder", "11:23", "did you mean `tenant`?"),
    "a region without a value": Mistake("us: {host: us.acme.example, login: login.acme.example}", "us: {host: us.acme.example}", "missing-key", "10:11", "the region `us` of `production` has no value for `{login}`"),
    "an environment without a value": Mistake("host: sandbox.acme.example, login: login.acme.example", "host: sandbox.acme.example", "missing-key", "6:7", "the environment `sandbox` has no value for `{login}`"),
    "an environment none of whose regions has a value": Mistake("          eu: {host: eu.acme.example, login: login.acme.example}\n          us: {host: us.acme.example, login: login.acme.example}\n", "          eu: {host: eu.acme.example}\n          us: {host: us.acme.example}\n", "missing-key", "7:7", "the environment `production` has no value for `{login}`"),
    "braces around nothing": Mistake("{origin}/keys", "{origin}/{}/keys", "malformed-value", "15:15", "braces stand around one name"),
    "braces that stay open": Mistake("root: https://{host}/v1", "root: https://{host}/{v1", "malformed-value", "14:11", "braces stand around one name"),
    "a name in capitals": Mistake("root: https://{host}/v1", "root: https://{Host}/v1", "malformed-value", "14:11", "braces stand around one name"),
    "too many names": Mistake("root: https://{host}/v1", "root: https://{host}/v1/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}/{login}", "malformed-value", "14:11", "at most 16 names"),
    "a name in the path of the check": Mistake("path: /me}", "path: '/{tenant}/me'}", "unknown-placeholder", "25:32", "nothing is filled in here"),
    "no root": Mistake("    root: https://{host}/v1\n", "", "missing-key", "3:3", "needs `root`"),
    "a value in an environment and its regions": Mistake("        regions:", "        host: acme.example\n        regions:", "duplicate-name", "8:9", "regions give `host` too"),
    "a value called as a setting": Mistake("      sandbox: {class: test,", "      sandbox: {class: test, tenant: a,", "duplicate-name", "6:30", "`tenant` is a setting too"),
    "a value called origin": Mistake("      sandbox: {class: test,", "      sandbox: {class: test, origin: a,", "bad-name", "6:30", "choose another name"),
    "a setting called as a key of connections": Mistake('tenant: {pattern: "[a-z]+", examples: [zoo]}', 'tenant: {pattern: "[a-z]+", examples: [zoo]}\n      tags: {values: [a]}', "bad-name", "14:7", "a connection has the key `tags` already"),
    "a setting called origin": Mistake('tenant: {pattern: "[a-z]+", examples: [zoo]}', 'tenant: {pattern: "[a-z]+", examples: [zoo]}\n      origin: {values: [a]}', "bad-name", "14:7", "choose another name"),
    "a secret called as a setting": Mistake('tenant: {pattern: "[a-z]+", examples: [zoo]}', 'tenant: {pattern: "[a-z]+", examples: [zoo]}\n      api_key: {values: [a]}', "duplicate-name", "19:19", "`api_key` is a setting too"),
    "a secret called as a value": Mistake("      sandbox: {class: test,", "      sandbox: {class: test, app_key: a,", "duplicate-name", "18:32", "`app_key` is a value of an environment too"),
    "a secret called as a key of auth": Mistake("app_key: {optional: true}}", "app_key: {optional: true}, scopes: {}}", "bad-name", "18:59", "`auth:` has the key `scopes` already"),
    "a misspelt key of an environment": Mistake("sandbox: {class: test,", "sandbox: {class: test, own_rot: besides,", "unused-part", "6:30", "did you mean `own_root`?"),
    "a setting that nothing uses": Mistake('tenant: {pattern: "[a-z]+", examples: [zoo]}', 'tenant: {pattern: "[a-z]+", examples: [zoo]}\n      spare: {values: [a]}', "unused-part", "14:7", "no text has `{spare}`"),
    "a secret in the root": Mistake("root: https://{host}/v1", "root: https://{host}/v1/{api_key}", "misplaced-secret", "14:11", "never in a URL"),
    "a secret in the page of keys": Mistake("{origin}/keys", "{origin}/keys/{api_key}", "misplaced-secret", "15:15", "never in a URL"),
    "a secret in a URL of OAuth": Mistake("https://{login}/token", "https://{login}/{client_secret}", "misplaced-secret", "24:20", "never in a URL"),
    "a secret in a value": Mistake("host: sandbox.acme.example", 'host: "{api_key}.acme.example"', "misplaced-secret", "6:36", "never in a URL, a value"),
    "a secret in the query of the check": Mistake("path: /me}", "path: '/me?key={app_key}'}", "misplaced-secret", "25:32", "never in a URL"),
    "a secret in a path of safe posts": Mistake("[/search]", '["/search", "/{api_key}"]', "misplaced-secret", "26:29", "never in a URL"),
    "a secret in the body of the check": Mistake("{method: GET, path: /me}", "{method: POST, path: /search, json: {a: [x, '{api_key}']}}", "misplaced-secret", "25:56", "the check"),
    "a secret in a hint": Mistake("hint: renew it", "hint: 'renew {api_key}'", "misplaced-secret", "30:68", "or a hint"),
    "two secrets in a header": Mistake('"Token {app_key}"', '"Token {app_key}{api_key}"', "misplaced-secret", "19:54", "a header carries one secret"),
    "a secret inside of a header": Mistake('"Token {app_key}"', '"Token {app_key}."', "misplaced-secret", "19:54", "at the end of its header"),
    "a secret that the method doesn't have": Mistake('"Token {app_key}"', '"Token {app_keyy}"', "unknown-placeholder", "19:54", "did you mean `app_key`?"),
    "a setting in a header": Mistake('"Token {app_key}"', '"{tenant} {app_key}"', "unknown-placeholder", "19:54", "known: api_key, app_key"),
    "a secret that no header sends": Mistake("app_key: {optional: true}}", "app_key: {optional: true}, spare: {}}", "unused-part", "18:59", "no text of the method has `{spare}`"),
    "a secret that the flow doesn't send": Mistake("{client_secret: {}}", "{client_secret: {}, spare: {}}", "unused-part", "21:38", "no text of the method has `{spare}`"),
    "a header of the message": Mistake("X-App-Key: ", "Host: ", "bad-name", "19:43", "belongs to the HTTP message"),
    "a header of proxies": Mistake("X-App-Key: ", "Proxy-Authorization: ", "bad-name", "19:43", "belongs to the HTTP message"),
    "a header that can't be sent": Mistake("X-App-Key: ", '"X App": ', "bad-name", "19:43", "RFC 9110"),
    "a header twice": Mistake("X-App-Key: ", "x-api-key: ", "duplicate-name", "19:43", "the case of a header's name says nothing"),
    "a header's text that can't be sent": Mistake('"Token {app_key}"', '"Tök {app_key}"', "malformed-value", "19:54", "printable ASCII"),
    "a flow without a token URL": Mistake("        token_url: https://{login}/token\n", "", "missing-key", "20:7", "the flow needs `token_url`"),
    "a flow whose headers carry no token": Mistake("        flow: authorization_code", "        flow: authorization_code\n        headers: {Accept: text/plain}", "missing-key", "20:7", "no header or parameter has `{access_token}`"),
    "the keys of a flow without one": Mistake("        flow: authorization_code\n", "", "missing-key", "20:7", "write `flow`, such as `flow: authorization_code`"),
    "a method that sends nothing": Mistake('        headers: {X-Api-Key: "{api_key}", X-App-Key: "Token {app_key}"}\n', "", "missing-key", "17:7", "the method sends nothing"),
    "headers without secrets": Mistake("        secrets: {api_key: {}, app_key: {optional: true}}\n", "", "missing-key", "17:7", "`secrets` names what the headers carry"),
    "a root by plain http": Mistake("root: https://{host}/v1", "root: http://{host}/v1", "insecure-url", "14:11", "https only"),
    "a token URL by plain http": Mistake("https://{login}/token", "http://{login}/token", "insecure-url", "24:20", "https only"),
    "a region whose host is none": Mistake("host: us.acme.example", "host: us..acme.example", "malformed-url", "14:11", "in the region `us` of `production`"),
    "a user in a URL": Mistake("https://{login}/token", "https://me@{login}/token", "malformed-url", "24:20", "no user name"),
    "a query in a revocation URL": Mistake("        token_url: https://{login}/token", "        token_url: https://{login}/token?a=b\n        revoke_url: https://{login}/r?a=b", "malformed-url", "25:21", "no query"),
    "a root that is no URL": Mistake("root: https://{host}/v1", "root: acme.example", "malformed-url", "14:11", "a full URL is needed"),
    "a setting where connections give the root": Mistake('private: {host: "{tenant}.acme.example", login: login.acme.example, own_root: besides}\n    settings:\n', 'private: {host: "{tenant}.acme.example", login: login.acme.example, own_root: besides}\n      own: {login: "{tenant}.acme.example", own_root: only}\n    settings:\n', "unknown-placeholder", "12:20", "gives the root and no settings"),
    "a pattern that is none": Mistake('pattern: "[a-z]+", examples', 'pattern: "[a-z", examples', "malformed-value", "13:25", "not a regular expression"),
    "a pattern with a back-reference": Mistake('pattern: "[a-z]+", examples', "pattern: '(a)\\1', examples", "malformed-value", "13:25", "not supported"),
    "a pattern that looks ahead": Mistake('pattern: "[a-z]+", examples', "pattern: '(?!b)[a-z]+', examples", "malformed-value", "13:25", "not supported"),
    "a pattern that is too large": Mistake('pattern: "[a-z]+", examples', "pattern: '(?:[a-z]{100}){100}', examples", "malformed-value", "13:25", "too large"),
    "a pattern of error codes that is none": Mistake('pattern: "[a-z_]+"', 'pattern: "[a-z_"', "malformed-value", "27:44", "not a regular expression"),
    "a pattern of codes that is none": Mistake("code: expired,", "code: 'expired(',", "malformed-value", "30:31", "not a regular expression"),
    "a pattern of codes that closes a group": Mistake("code: expired,", "code: 'expired)(',", "malformed-value", "30:31", "not a regular expression"),
    "a setting with a list and a pattern": Mistake('{pattern: "[a-z]+",', '{pattern: "[a-z]+", values: [zoo],', "unknown-key", "13:35", "remove one of them"),
    "a setting with neither": Mistake('{pattern: "[a-z]+", examples', "{examples", "missing-key", "13:7", "needs `pattern` or `values`"),
    "an example that the pattern refuses": Mistake("examples: [zoo]", "examples: [zoo, Zoo]", "wrong-example", "13:51", "the setting's pattern refuses it"),
    "an example that isn't in the list": Mistake('{pattern: "[a-z]+", examples: [zoo]}', "{values: [a, b], examples: [c]}", "wrong-example", "13:43", "isn't among the setting's values"),
    "an example that no host has": Mistake('"[a-z]+", examples: [zoo]', '".+", examples: [a/b, zoo]', "wrong-example", "13:42", "one label of a host name"),
    "a value of a list that no host has": Mistake('{pattern: "[a-z]+", examples: [zoo]}', "{values: [zoo, a/b]}", "malformed-value", "13:30", "one label of a host name"),
    "a body of a GET": Mistake("path: /me}", "path: /me, json: {a: 1}}", "unknown-key", "25:37", "only a POST has a body"),
    "an unknown class of failure": Mistake("means: auth_denied", "means: auth_deny", "unknown-value", "31:37", "did you mean `auth_denied`?"),
    "a misspelt ready": Mistake("means: ready, ", "means: redy, ", "unknown-value", "29:32", "did you mean `ready`?"),
    "ready by its status alone": Mistake(", body: {type: object, required: [id]}", "", "unproven-ready", "29:32", "needs one of `body`, `empty` and `text`"),
    "ready by two proofs": Mistake("body: {type: object, required: [id]}", "body: {type: object, required: [id]}, empty: true", "unproven-ready", "29:32", "keep one of them"),
    "ready by a redirect": Mistake("status: [200]", "status: [200, 302]", "unproven-ready", "29:24", "200 to 299"),
    "ready by an error of the server": Mistake("status: [200]", "status: [503]", "unproven-ready", "29:19", "200 to 299"),
    "no row that is ready": Mistake("means: ready, body: {type: object, required: [id]}", "means: http_not_this_api", "missing-key", "28:5", "without one, no connection ever is"),
    "a row behind a wider one": Mistake("    examples:", "      - {status: [403], code: x, means: auth_rejected}\n    examples:", "unreachable-row", "32:10", "row 3 judges before"),
    "a row behind two that are wider together": Mistake("    examples:", "      - {status: [404], means: http_not_this_api}\n      - {status: [403, 404], means: auth_rejected}\n    examples:", "unreachable-row", "33:10", "row 3 and row 4 judge before"),
    "a row behind one for any code": Mistake("      - {status: [401], code: expired", "      - {status: [401], code: '.+', means: auth_denied}\n      - {status: [401], code: expired", "unreachable-row", "31:10", "row 2 judges before"),
    "a code without its place": Mistake('    error_code: {at: /error/code, pattern: "[a-z_]+"}\n', "", "missing-key", "29:25", "`error_code` says where the code stands"),
    "an unknown keyword of a body": Mistake("body: {type: object, required: [id]}", "body: {type: object, requierd: [id]}", "unknown-key", "29:60", "did you mean `required`?"),
    "an unusable pattern of a body": Mistake("body: {type: object, required: [id]}", "body: {type: string, pattern: '('}", "malformed-value", "29:69", "not a regular expression"),
    "a body nested too deeply": Mistake("body: {type: object, required: [id]}", "body: {type: array, items: {items: {items: {items: {items: {items: {items: {items: {type: object}}}}}}}}}", "malformed-value", "29:115", "at most 8 schemas"),
    "an unknown class of an example": Mistake("{error: {code: expired}}, means: auth_rejected", "{error: {code: expired}}, means: auth_reject", "unknown-value", "33:62", "did you mean `auth_rejected`?"),
    "an example that the rows judge otherwise": Mistake("{error: {code: expired}}, means: auth_rejected", "{error: {code: expired}}, means: ready", "wrong-example", "33:62", "judge it as `auth_rejected`"),
    "a day that doesn't exist": Mistake("2026-11-29", "2026-11-31", "malformed-value", "35:52", "there is no such day"),
    "a day that is none": Mistake("2026-11-29", "yesterday", "malformed-value", "35:52", "a day is written as"),
    "no sources": Mistake("    sources:\n      - {url: https://docs.acme.example/api, read: 2026-11-29, says: everything}\n", "", "no-source", "3:3", "name the pages"),
    "a key in the text before a secret": Mistake('"Token {app_key}"', '"Token y_NbAkKc66ryYTWUXYEu{app_key}"', "plaintext-secret", "19:54", "a secret seems to stand here in plain"),
    "a token in a constant header": Mistake('"Token {app_key}"}', '"Token {app_key}", X-Team: ghp_16C7}', "plaintext-secret", "19:81", "declare it under `secrets`"),
    "a UUID in a constant header": Mistake('"Token {app_key}"}', '"Token {app_key}", X-Team: 8f14e45f-ceea-467f-a9f5-0d3c1b2a4e5f}', "plaintext-secret", "19:81", "in plain"),
    "a token in Base64": Mistake('"Token {app_key}"}', '"Token {app_key}", X-Team: dXNlc/jpwYXNz+d29yZAxy}', "plaintext-secret", "19:81", "in plain"),
    "a constant credential": Mistake('"Token {app_key}"}', '"Token {app_key}", Authorization: Bearer hunter}', "plaintext-secret", "19:88", "in plain"),
    "a key in the query of the check": Mistake("path: /me}", "path: '/me?token=hunter'}", "plaintext-secret", "25:32", "in plain"),
    "a generated text in the path of the check": Mistake("path: /me}", "path: /me/Kc66ryYTWUXYEu92aq}", "plaintext-secret", "25:32", "in plain"),
    "a key in the body of the check": Mistake("{method: GET, path: /me}", "{method: POST, path: /search, json: {a: [x, Kc66ryYTWUXYEu92aq]}}", "plaintext-secret", "25:56", "in plain"),
    "a key in a path of safe posts": Mistake("[/search]", "[/search, /Kc66ryYTWUXYEu92aq]", "plaintext-secret", "26:27", "in plain"),
    "a key in a value": Mistake("host: sandbox.acme.example", "host: Kc66ryYTWUXYEu92aq.acme.example", "plaintext-secret", "6:36", "in plain"),
    "a key in the root": Mistake("root: https://{host}/v1", "root: https://{host}/eyJhbGciOiJIUzI1NiJ9/v1", "plaintext-secret", "14:11", "in plain"),
    "ready by an object that holds nothing": Mistake("body: {type: object, required: [id]}", "body: {type: object, properties: {id: {type: integer}}}", "unproven-ready", "29:39", "the schema accepts `{}`"),
    "ready by a list or an object that holds nothing": Mistake("body: {type: object, required: [id]}", "body: {type: [array, object], minItems: 1}", "unproven-ready", "29:39", "the schema accepts `{}`"),
    "ready by a schema without a type": Mistake("body: {type: object, required: [id]}", "body: {items: {type: object}}", "unproven-ready", "29:39", "the schema accepts `{}`"),
    "ready by one of several values": Mistake("body: {type: object, required: [id]}", "body: {enum: [ok, {}]}", "unproven-ready", "29:39", "the schema accepts `{}`"),
    "a row twice": Mistake("    examples:", "      - {status: [401, 403], means: auth_denied}\n    examples:", "malformed-value", "32:10", "item 4 is the same as item 3"),
    "a row without a meaning": Mistake("{status: [401, 403], means: auth_denied}", "{status: [401, 403]}", "missing-key", "31:10", "needs `means`"),
    "an unknown class that is like no other": Mistake("means: auth_denied", "means: denied_by_proxy", "unknown-value", "31:37", "did you mean `denied_by_intermediary`?"),
    "a misspelt value of a region": Mistake("us: {host: us.acme.example", "us: {hots: us.acme.example", "missing-key", "10:11", "`hots` stands there: did you mean `host`?"),
    "a misspelt value of an environment": Mistake("{class: test, host:", "{class: test, hots:", "missing-key", "6:7", "`hots` stands there: did you mean `host`?"),
    "a secret without quotes": Mistake('X-Api-Key: "{api_key}"', "X-Api-Key: {api_key}", "wrong-type", "19:19", 'quote it: `"{api_key}"`'),
    "an unknown name in a parameter": Mistake("    check:", "      other: {secrets: {pin: {}}, query: {pin: '{pni}'}}\n    check:", "unknown-placeholder", "25:48", "did you mean `pin`?"),
    "an unknown name in a user name": Mistake("    check:", "      other: {secrets: {pin: {}}, basic: {username: '{usr}', password: '{pin}'}}\n    check:", "unknown-placeholder", "25:53", "known: pin, host, login, tenant"),
    "a password with a text around the secret": Mistake("    check:", "      other: {secrets: {pin: {}}, basic: {username: bot, password: 'a{pin}'}}\n    check:", "misplaced-secret", "25:68", "a constant, or one name and nothing else"),
    "an unknown name in a parameter of token requests": Mistake("    check:", "      other: {secrets: {client_secret: {}}, flow: client_credentials, token_url: 'https://{login}/t', token_params: {audience: '{tenent}'}}\n    check:", "unknown-placeholder", "25:128", "did you mean `tenant`?"),
    "an unknown name in a claim": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: ES256, key: '{pin}', claims: {org: '{tenent}'}}}\n    check:", "unknown-placeholder", "25:81", "did you mean `tenant`?"),
    "an unknown key of a JWT": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: ES256, key: '{pni}'}}\n    check:", "unknown-placeholder", "25:58", "did you mean `pin`?"),
    "a secret in a claim": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: ES256, key: '{pin}', subject: 'a-{pin}'}}\n    check:", "misplaced-secret", "25:76", "a claim"),
    "an unknown name in the body of a login": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: ['{pni}']}}}\n    check:", "unknown-placeholder", "25:102", "did you mean `pin`?"),
    "an unknown name in a header of a login": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, headers: {X-Pin: '{pni}'}}}\n    check:", "unknown-placeholder", "25:108", "did you mean `pin`?"),
    "a JWT in a header of a login without one": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}, headers: {X-Pin: '{jwt}'}}}\n    check:", "unknown-placeholder", "25:128", "`{jwt}` stands for nothing here"),
    "a secret in the URL of a login": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: 'https://{login}/{pin}', token_at: /token, json: {a: '{pin}'}}}\n    check:", "misplaced-secret", "25:48", "never in a URL"),
    "an access token of a method that obtains none": Mistake("    check:", "      other: {secrets: {pin: {}}, headers: {X-Pin: '{pin}', X-B: '{access_token}'}}\n    check:", "unknown-placeholder", "25:66", "`{access_token}` stands for nothing here"),
    "a secret in a plain header": Mistake("    check:", "    headers: {X-Pin: '{api_key}'}\n    check:", "misplaced-secret", "25:22", "a plain header"),
    "a secret in a plain parameter": Mistake("    check:", "    query: {pin: '{api_key}'}\n    check:", "misplaced-secret", "25:18", "a method of `auth` sends"),
    "an unknown name in a plain header": Mistake("    check:", "    headers: {X-Tenant: '{tenent}'}\n    check:", "unknown-placeholder", "25:25", "did you mean `tenant`?"),
    "Authorization as a plain header": Mistake("    check:", "    headers: {Authorization: '{tenant}'}\n    check:", "bad-name", "25:15", "belongs to a method of `auth`"),
    "a header both plain and with a secret": Mistake("    check:", "    headers: {x-api-key: '{tenant}'}\n    check:", "duplicate-name", "25:15", "keep one of the two"),
    "a parameter both plain and with a secret": Mistake("    check:", "      other: {secrets: {pin: {}}, query: {pin: '{pin}'}}\n    query: {pin: '{tenant}'}\n    check:", "duplicate-name", "26:13", "keep one of the two"),
    "a JWT of an app that shows a secret": Mistake("    check:", "      other: {secrets: {client_secret: {}, pin: {}}, flow: client_credentials, token_url: 'https://{login}/t', jwt: {alg: ES256, key: '{pin}'}}\n    check:", "unknown-key", "25:112", "write `client_auth: private_key_jwt`"),
    "an app that signs without saying how": Mistake("    check:", "      other: {secrets: {pin: {}}, flow: client_credentials, client_auth: private_key_jwt, token_url: 'https://{login}/t'}\n    check:", "missing-key", "25:7", "needs `jwt`"),
    "an app with a key and a secret": Mistake("    check:", "      other: {secrets: {client_secret: {}, pin: {}}, flow: client_credentials, client_auth: private_key_jwt, token_url: 'https://{login}/t', jwt: {alg: ES256, key: '{pin}'}}\n    check:", "unknown-key", "25:25", "the app has no secret"),
    "an app without a secret": Mistake("    check:", "      other: {flow: client_credentials, token_url: 'https://{login}/t'}\n    check:", "missing-key", "25:7", "the app needs a secret"),
    "two lifetimes": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}, lifetime: {seconds: 5, seconds_at: /s}}}\n    check:", "unknown-key", "25:134", "`seconds` and `seconds_at` both say"),
    "an empty lifetime": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}, lifetime: {}}}\n    check:", "missing-key", "25:111", "or remove `lifetime`"),
    "a login with two bodies": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}, form: {a: '{pin}'}}}\n    check:", "unknown-key", "25:111", "`json` and `form` both say"),
    "nothing with headers": Mistake("    check:", "      other: {none: true, headers: {X-A: b}}\n    check:", "unknown-key", "25:27", "has no `headers`"),
    "nothing with secrets": Mistake("    check:", "      other: {none: true, secrets: {pin: {}}}\n    check:", "unknown-key", "25:27", "has no `secrets`"),
    "keys of a flow in a static method": Mistake("    check:", "      other: {secrets: {pin: {}}, headers: {X-Pin: '{pin}'}, scopes: [a]}\n    check:", "missing-key", "25:7", "`scopes` belongs to a flow"),
    "keys of a flow in a login": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}}, token_url: 'https://{login}/t'}\n    check:", "unknown-key", "25:112", "`token_url` doesn't belong to `login`"),
    "no PKCE for a public client": Mistake("    check:", "      other: {flow: authorization_code, authorize_url: 'https://{login}/a', token_url: 'https://{login}/t', pkce: false}\n    check:", "malformed-value", "25:115", "RFC 9700"),
    "PKCE said aloud": Mistake("    check:", "      other: {secrets: {client_secret: {}}, flow: authorization_code, authorize_url: 'https://{login}/a', token_url: 'https://{login}/t', pkce: true}\n    check:", "unknown-value", "25:145", "PKCE is the default"),
    "a login whose headers carry no token": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}}, headers: {X-Pin: '{pin}'}}\n    check:", "missing-key", "25:7", "has `{access_token}`"),
    "headers that carry no JWT": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: ES256, key: '{pin}'}, headers: {X-Pin: a}}\n    check:", "missing-key", "25:7", "has `{jwt}`"),
    "an unknown algorithm": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: HS256, key: '{pin}'}}\n    check:", "unknown-value", "25:46", "`EdDSA`"),
    "an unknown flow": Mistake("    check:", "      other: {secrets: {pin: {}}, flow: password, token_url: 'https://{login}/t'}\n    check:", "unknown-value", "25:41", "`jwt_bearer`"),
    "a JWT that is valid too long": Mistake("    check:", "      other: {secrets: {pin: {}}, jwt: {alg: ES256, key: '{pin}', lifetime_s: 600}}\n    check:", "out-of-range", "25:79", "at most 300"),
    "a secret that a login doesn't send": Mistake("    check:", "      other: {secrets: {pin: {}, spare: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}'}}}\n    check:", "unused-part", "25:34", "no text of the method has `{spare}`"),
    "a secret that a JWT bearer doesn't use": Mistake("    check:", "      other: {secrets: {pin: {}, spare: {}}, flow: jwt_bearer, token_url: 'https://{login}/t', jwt: {alg: ES256, key: '{pin}', issuer: a}}\n    check:", "unused-part", "25:34", "no text of the method has `{spare}`"),
    "a flow without a device authorization URL": Mistake("    check:", "      other: {flow: device_code, token_url: 'https://{login}/t'}\n    check:", "missing-key", "25:7", "needs `device_authorization_url`"),
    "an exchange of JWTs without one": Mistake("    check:", "      other: {flow: jwt_bearer, token_url: 'https://{login}/t'}\n    check:", "missing-key", "25:7", "needs `jwt`"),
    "a login by plain http": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: 'http://{login}/login', token_at: /token, json: {a: '{pin}'}}}\n    check:", "insecure-url", "25:48", "https only"),
    "a root of a method by plain http": Mistake("    check:", "      other: {root: 'http://{login}/v1', secrets: {pin: {}}, headers: {X-Pin: '{pin}'}}\n    check:", "insecure-url", "25:21", "https only"),
    "a secret called as the token": Mistake("    check:", "      other: {secrets: {client_secret: {}, access_token: {}}, flow: client_credentials, token_url: 'https://{login}/t', token_params: {a: '{access_token}'}}\n    check:", "bad-name", "25:44", "the token that is obtained"),
    "a key in plain in a login": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, json: {a: '{pin}', password: hunter}}}\n    check:", "plaintext-secret", "25:120", "in plain"),
    "a key in plain in a parameter of token requests": Mistake("    check:", "      other: {secrets: {client_secret: {}}, flow: client_credentials, token_url: 'https://{login}/t', token_params: {api_key: hunter}}\n    check:", "plaintext-secret", "25:127", "in plain"),
    "a key in plain in a parameter": Mistake("    check:", "      other: {secrets: {pin: {}}, query: {pin: '{pin}', token: hunter}}\n    check:", "plaintext-secret", "25:64", "in plain"),
    "a header of a login that belongs to the message": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, headers: {Host: '{pin}'}}}\n    check:", "bad-name", "25:101", "belongs to the HTTP message"),
    "a header of a login that can't be sent": Mistake("    check:", "      other: {secrets: {pin: {}}, login: {url: \"https://{login}/login\", token_at: /token, headers: {'X Pin': '{pin}'}}}\n    check:", "bad-name", "25:101", "RFC 9110"),
    "a cookie": Mistake("    check:", "      other: {secrets: {pin: {}}, headers: {Cookie: '{pin}'}}\n    check:", "bad-name", "25:45", "belongs to the HTTP message"),
}  # fmt: skip
