"""What all services share: contracts, bus, store access, configuration, addresses."""
