"""The clocks of tickets: open time, targets, warnings and deadlines."""
