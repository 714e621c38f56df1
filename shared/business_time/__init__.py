"""Open time by a calendar of the desk: pure, and the same for every service that tells of it."""
