"""The desk's one configuration file: its models, and how it is read and refused."""

from shared.config.loading import ConfigurationError, load_desk
from shared.config.models import Desk
from shared.config.people import Agent, Mailbox, Team

__all__ = ["Agent", "ConfigurationError", "Desk", "Mailbox", "Team", "load_desk"]
