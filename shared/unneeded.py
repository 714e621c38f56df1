"""Import it first in a service's process: what libraries load only because it is there stays out.

structlog loads rich, to colour what a service writes as JSON; pymongo loads cryptography for a
certificate check by PyOpenSSL, which is not among the requirements, and goes on with Python's
own TLS. Together they are an eighth of a service's memory.
"""

import sys

NAMES = ("rich", "pymongo.pyopenssl_context")

for _name in NAMES:
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]  # so that importing it fails
