"""Read models of tickets, and the reports that are made of them and mailed."""
