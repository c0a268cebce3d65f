"""Names the built-in secret backends: one line for each, the scheme of its references and the type of its stores.

Layer 2, no IO until a backend fetches. Third parties add theirs by the entry-point group `connform.secrets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.secrets.awssecrets import AWSSECRETS
from connform.secrets.awsssm import AWSSSM
from connform.secrets.azurekv import AZUREKV
from connform.secrets.dotenv import DOTENV
from connform.secrets.env import ENV
from connform.secrets.exec import EXEC
from connform.secrets.file import FILE
from connform.secrets.gcpsecrets import GCPSECRETS
from connform.secrets.k8s import K8S
from connform.secrets.keyring import KEYRING
from connform.secrets.op import OP
from connform.secrets.passwordstore import PASS
from connform.secrets.sops import SOPS
from connform.secrets.vault import VAULT

if TYPE_CHECKING:
    from connform.secrets.interface import Backend

BACKENDS: dict[str, Backend] = {
    "env": ENV,
    "dotenv": DOTENV,
    "file": FILE,
    "vault": VAULT,
    "awssecrets": AWSSECRETS,
    "awsssm": AWSSSM,
    "sops": SOPS,
    "keyring": KEYRING,
    "pass": PASS,
    "exec": EXEC,
    "azurekv": AZUREKV,
    "gcpsecrets": GCPSECRETS,
    "op": OP,
    "k8s": K8S,
}
