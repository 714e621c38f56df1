"""How Postdesk is run: on one machine without root (``local``), in containers, and by hand (``cli``)."""
