"""The calendars of a configuration by name, each built once."""

from collections.abc import Mapping

from shared.business_time.calendar import BusinessCalendar, CalendarError
from shared.business_time.openings import longest_day_s
from shared.config.sla import Calendar

_ALL_TIME = Calendar(timezone="UTC", week="always")


class NamedCalendars:
    """Builds a calendar when it is first asked for, and one more for each other zone."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._settings = calendars
        self._built: dict[tuple[str, str], BusinessCalendar] = {}

    def find(self, name: str, timezone: str = "") -> BusinessCalendar:
        """The calendar of that name, with its hours in the zone if one is given.

        All time for the empty name, and for one that the configuration does not have any more.
        """
        key = (name if name in self._settings else "", timezone)
        if key not in self._built:
            self._built[key] = _built(self.settings(name, timezone), name)
        return self._built[key]

    def settings(self, name: str, timezone: str = "") -> Calendar:
        """The settings of what `find` gives."""
        found = self._settings.get(name, _ALL_TIME)
        return found.model_copy(update={"timezone": timezone}) if timezone else found

    def day_s(self, name: str) -> int:
        """Seconds of open time that one business day has."""
        settings = self._settings[name]
        return settings.day or longest_day_s(settings.week)

    def check(self) -> None:
        """Build all; raises `CalendarError` that names the calendar which cannot be used."""
        for name in self._settings:
            self.find(name)


def _built(settings: Calendar, name: str) -> BusinessCalendar:
    try:
        return BusinessCalendar(settings)
    except CalendarError as error:
        raise CalendarError(f"calendar {name!r}: {error}") from error
