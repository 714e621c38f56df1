"""A stack on one machine: Kafka, MongoDB, the services, a mail server."""
