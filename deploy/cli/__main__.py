"""``python -m deploy.cli``: the ``postdesk`` command where it is not installed."""

from deploy.cli import main

main()
