"""The calendars that clocks are counted by; notices tell the time left by the same code."""

from shared.business_time.calendar import BusinessCalendar, CalendarError

__all__ = ["BusinessCalendar", "CalendarError"]
