"""Says what is true of a ticket: files mails, runs commands, keeps the timeline."""
