"""Where Kafka and MongoDB come from: given addresses, Docker, or embedded, in this order."""
