"""The agents' command language: from the text of a mail to an order that can be decided."""
