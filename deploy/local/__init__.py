"""Everything that a stack on one machine needs: Kafka, MongoDB, the services and a mail server to play with."""
