"""What mail programs write round a reply, in many languages: data only."""
