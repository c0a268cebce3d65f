"""The backend `keyring`: passwords of the operating system's keyring, `keyring://service/user`.

Layer 2; reads the keyring by the library `keyring`: Secret Service (GNOME, KeePassXC), KWallet, macOS Keychain. Keyrings that
don't encrypt are never read. A locked Secret Service is an error: no dialog opens.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from connform.environment import variable
from connform.errors import SecretUnresolved, StoreFailed
from connform.manifest.shape import Shape, Snippet
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.kit.requirements import missing_library
from connform.secrets.kit.value import whole_or_field

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend
    from secretstorage import Collection


_INSTALL = "pip install keyring"
_FAIL_BACKEND = "keyring.backends.fail"
_NULL_BACKEND = "keyring.backends.null"
_CHAINER = "keyring.backends.chainer"
_FILE_BACKENDS = "keyrings.alt"
"""Keyrings that are files: in plain text, or encrypted with a password that is typed at the terminal."""
_ATTEMPTS = 5
"""How often a keyring or item that is missing is looked for: it may be missing while gnome-keyring replaces its file."""
_PAUSE_S = 0.05
_KWALLET = "keyring.backends.kwallet"
"""Its library has one D-Bus connection, which a forked child shares: each process could read the other's replies."""
_KWALLET_PROCESSES: set[int] = set()
"""The numbers of the processes that have used KWallet: this one, and those from which it was forked."""
_SECRET_SERVICE = ("keyring.backends.SecretService", "keyring.backends.libsecret")


class Keyring(Backend):
    """The backend `keyring`."""

    form = "keyring://service/user"
    store_shape = Shape(
        properties={
            "service": {
                "type": "string",
                "pattern": r"^[^\x00-\x1f\x7f]+(?!\n)$",
                "description": "The service of every password; a reference then names the user: my-store://user.",
                "examples": ["iinked"],
                "errorMessage": "a service is not empty and holds no control characters",
            }
        },
        description="The operating system's keyring.",
        snippets=(Snippet("keyring", {"type": "keyring", "service": "${2:iinked}"}),),
    )

    def missing(self) -> str:
        """Return how to install the library `keyring`; empty if it is installed."""
        return missing_library("keyring", _INSTALL)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference to a password."""
        if reference.version:
            return "a keyring has no versions: nothing follows the user but `#field`"
        if not all(_service_and_user(reference, settings)):
            form = "user" if "service" in settings else "service/user"
            return f"a password is named by service and user: {reference.scheme}://{form}"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the keyring."""

        def load(reference: SecretReference) -> str:
            return _password(*_service_and_user(reference, store.settings))

        # One batch, thus one thread: a keyring answers at once, and may be used over one connection.
        return DocumentStore(load, _fetched, batch_size=0)


def _service_and_user(reference: SecretReference, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Return the service and the user that a reference names."""
    if "service" in settings:
        return settings["service"], reference.path.lstrip("/")
    service, _, user = reference.path.rpartition("/")
    return service, user


def _fetched(password: str, reference: SecretReference) -> Fetched:
    return Fetched(whole_or_field(password, reference.field))


def _password(service: str, user: str) -> str:
    for backend in _encrypting_keyrings(_configured_keyrings()):
        password = _password_from(backend, service, user)
        if password is not None:
            return password
    hint = f"`keyring set {service} {user}` stores it"
    raise SecretUnresolved("secret_not_found", "the keyring has no password of that service and user", hint)


def _configured_keyrings() -> Sequence[KeyringBackend]:
    """Return the keyring that this user has configured, or else that of the machine; several if they are chained."""
    config = variable("XDG_CONFIG_HOME")
    if config and not Path(config).is_absolute():  # the library imports what a file there names: one of a checkout
        message = "XDG_CONFIG_HOME is not an absolute path"
        raise SecretUnresolved("secret_denied", message, "name the folder by its whole path")
    try:
        import keyring
    except ImportError:
        raise SecretUnresolved("secret_backend_unavailable", "the library keyring is not installed", _INSTALL) from None
    try:
        chosen: Any = keyring.get_keyring()
        return list(chosen.backends) if _is_from(chosen, _CHAINER) else [chosen]
    except Exception as error:  # noqa: BLE001  (a configured class may raise anything)
        kind = type(error).__name__
    hint = "see PYTHON_KEYRING_BACKEND, and keyringrc.cfg: `keyring diagnose` shows where that lies"
    raise SecretUnresolved("secret_backend_unavailable", f"the keyring that is configured can't be used ({kind})", hint)


def _encrypting_keyrings(backends: Sequence[KeyringBackend]) -> Sequence[KeyringBackend]:
    """Return the keyrings that encrypt.

    Raises:
        SecretUnresolved: `secret_denied`, there are only files, or the keyring is switched off; `secret_backend_unavailable`,
            there is none.
    """
    found = [backend for backend in backends if not _is_from(backend, _FAIL_BACKEND, _NULL_BACKEND, _FILE_BACKENDS)]
    if found:
        return found
    if any(_is_from(backend, _FILE_BACKENDS) for backend in backends):
        hint = "install one that encrypts, such as gnome-keyring, or choose it by PYTHON_KEYRING_BACKEND"
        raise SecretUnresolved("secret_denied", "the keyring would be a file in plain text: it is not asked", hint)
    if any(_is_from(backend, _NULL_BACKEND) for backend in backends):
        hint = "remove it from PYTHON_KEYRING_BACKEND or keyringrc.cfg; `keyring diagnose` shows where that lies"
        raise SecretUnresolved("secret_denied", "the keyring is switched off (keyring.backends.null)", hint)
    hint = "it needs the session of a desktop, by DBUS_SESSION_BUS_ADDRESS; on a server or in CI use env:// or file://"
    raise SecretUnresolved("secret_backend_unavailable", "there is no keyring here", hint)


def _is_from(backend: KeyringBackend, *modules: str) -> bool:
    """Whether the class of a keyring, or a base class of it, is defined in one of these modules or packages."""
    return any(f"{kind.__module__}.".startswith(f"{module}.") for kind in type(backend).__mro__ for module in modules)


def _password_from(backend: KeyringBackend, service: str, user: str) -> str | None:
    from keyring.errors import KeyringLocked

    try:
        if _is_from(backend, *_SECRET_SERVICE):
            return _password_from_secret_service(backend, service, user)
        if _is_from(backend, _KWALLET):
            _require_same_process()
        return backend.get_password(service, user)
    except SecretUnresolved:
        raise
    except KeyringLocked:
        failure: SecretUnresolved = SecretUnresolved(
            "keyring_locked", "the keyring is locked, and its dialog was dismissed"
        )
    except UnicodeDecodeError:
        failure = SecretUnresolved("secret_malformed", "the value is not UTF-8 text")
    except Exception as error:  # noqa: BLE001  (each keyring has exceptions of its own)
        failure = _unavailable(error)
    # Raised outside of the handlers: else the chained exception might hold the password.
    raise failure


def _require_same_process() -> None:
    """Raise if this process was forked from one that has used KWallet."""
    _KWALLET_PROCESSES.add(os.getpid())
    if len(_KWALLET_PROCESSES) > 1:
        raise SecretUnresolved(
            "secret_backend_unavailable",
            "the keyring was asked by the process that this one was forked from, whose connection to it can't be shared",
            "read its secrets before the fork only, or after it only",
        )


def _password_from_secret_service(backend: Any, service: str, user: str) -> str | None:
    """Return a password of a Secret Service. The library `keyring` would open a dialog for a locked one; this does not."""
    from secretstorage import dbus_init
    from secretstorage.exceptions import ItemNotFoundException

    keys = backend.schemes[backend.scheme]
    attributes = {keys["service"]: service, keys["username"]: user}
    for _ in range(_ATTEMPTS):
        with suppress(ItemNotFoundException), closing(dbus_init()) as bus:
            return _password_in_collection(_collection(bus, backend), attributes)
        sleep(_PAUSE_S)
    message = "the Secret Service has no such keyring yet"
    raise SecretUnresolved("secret_not_found", message, "make one in its own program, and store the secret")


def _collection(bus: Any, backend: Any) -> Collection:
    from secretstorage import Collection, get_collection_by_alias

    preferred = getattr(backend, "preferred_collection", "")
    return Collection(bus, preferred) if preferred else get_collection_by_alias(bus, "default")


def _password_in_collection(collection: Collection, attributes: dict[str, str]) -> str | None:
    if collection.is_locked():
        raise SecretUnresolved("keyring_locked", "the keyring is locked")
    items = list(collection.search_items(attributes))  # of items with more attributes than these as well
    if any(item.is_locked() for item in items):
        raise SecretUnresolved("keyring_locked", "the keyring is locked")
    if len(items) > 1:
        found = ", ".join(
            f"{item.get_label()} ({datetime.fromtimestamp(item.get_created(), UTC):%F %T})" for item in items
        )
        message = f"the keyring has {len(items)} passwords of that service and user: {found}"
        raise SecretUnresolved("secret_malformed", message, "remove all but one, in the keyring's own program")
    return str(items[0].get_secret().decode()) if items else None


def _unavailable(error: Exception) -> StoreFailed:
    """Return the failure of a keyring, with the class of its exception only: the text might hold a secret."""
    return StoreFailed(f"the keyring does not answer ({type(error).__name__})")


KEYRING = Keyring()
