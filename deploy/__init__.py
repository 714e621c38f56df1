"""How Postdesk is run: on one machine (``local``), in containers, and by hand (``cli``)."""
