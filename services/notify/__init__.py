"""Tells people by mail what happened to tickets, and tells tickets what became of the mails."""
