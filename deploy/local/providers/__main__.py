"""Kafka with its topics and MongoDB alone, for work on one part of the system."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.providers.choice import choose
from deploy.local.topics import create_topics


def _show(done: int, total: int) -> None:
    print(f"\rfetching Kafka: {done} of {total} files", end="", file=sys.stderr)


def main() -> int:
    """Run both in the folder that is named, or in one that is removed at the end (Ctrl-C)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="postdesk-", ignore_cleanup_errors=True) as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        backends = choose(folder.resolve(), progress=_show)
        try:
            backends.start()
            asyncio.run(create_topics(backends.kafka.address))
            print(f"export POSTDESK_KAFKA={backends.kafka.address}")
            print(f"export POSTDESK_MONGO='{backends.mongo.address}'", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            return 0
        except StackError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            backends.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
