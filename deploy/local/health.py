"""Asks a process's health endpoint."""

import http.client
import os
import sys
import urllib.error
import urllib.request

ANSWER_S = 2.0


def is_ready(address: str) -> bool:
    """Say whether ``GET http://ADDRESS/readyz`` is answered with 200."""
    return ask(address, "/readyz")[0] == 200  # noqa: PLR2004 - RFC 9110, 15.3.1


def ask(address: str, path: str) -> tuple[int, str]:
    """Return status and body of a GET; status 0 where nobody answers.

    Who answers otherwise than in HTTP has status 0 too; the body tells what came.
    """
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=ANSWER_S) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")
    except http.client.HTTPException as error:
        return 0, f"no HTTP: {error!r}"[:200]
    except (OSError, ValueError):
        return 0, ""


def main() -> int:
    """Return 0 if the service of this container is ready: its ``POSTDESK_HEALTH``, asked here."""
    listens = os.environ.get("POSTDESK_HEALTH", "")
    port = listens.rpartition(":")[2]
    return 0 if is_ready(f"127.0.0.1:{port}") else 1


if __name__ == "__main__":
    sys.exit(main())
