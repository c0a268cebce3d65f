"""An authorization server that was not written here: django-oauth-toolkit behind TLS, with an API that takes its tokens.

Run it as a script: Django is set up once a process. argv: a file with key and certificate, a folder for its database. It prints its port.
The person is logged in already; apps are the public `tv`, which logs in by device code, and the service `robot`.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from werkzeug.serving import make_server


def as_the_person(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whoever opens a page is logged in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        from django.contrib.auth.models import User

        request.user = User.objects.get(username="person")
        return get_response(request)

    return middleware


def me(request: HttpRequest) -> HttpResponse:
    from oauth2_provider.decorators import protected_resource

    def answer(request: HttpRequest) -> HttpResponse:
        return JsonResponse({"app": request.resource_owner.username if request.resource_owner else "robot"})  # type: ignore[attr-defined,unused-ignore]

    protected: Callable[[HttpRequest], HttpResponse] = protected_resource(scopes=["read"])(answer)
    return protected(request)


urlpatterns: list[Any] = []


def main(pem: str, folder: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, ssl_context=context)
    verification_uri = f"https://localhost:{server.server_port}/o/device/"
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "django.sqlite3")}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
        MIDDLEWARE=["__main__.as_the_person"],
        MIGRATION_MODULES=dict.fromkeys(("auth", "contenttypes", "oauth2_provider")),  # tables as they are now, at once
        OAUTH2_PROVIDER={
            "SCOPES": {"read": "Reading", "write": "Writing"},
            "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
            "OAUTH_DEVICE_VERIFICATION_URI": verification_uri,
            "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": lambda user_code: f"{verification_uri}?user_code={user_code}",
            "DEVICE_FLOW_INTERVAL": 1,
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # the default is slow by design
        ROOT_URLCONF="__main__",
        SECRET_KEY="synthetic",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        USE_TZ=True,
    )
    django.setup()
    urlpatterns.extend([path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")), path("api/me", me)])
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", run_syncdb=True, verbosity=0)
    _register()
    server.app = get_wsgi_application()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _register() -> None:
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    User.objects.create_user("person")
    Application.objects.create(
        client_id="tv",
        client_type="public",
        authorization_grant_type="urn:ietf:params:oauth:grant-type:device_code",
        name="TV",
    )
    Application.objects.create(
        client_id="robot",
        client_secret=os.environ["CLIENT_SECRET"],
        client_type="confidential",
        authorization_grant_type="client-credentials",
        name="robot",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
