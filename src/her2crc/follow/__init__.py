"""Stage of follow-up: how HER2 changes in one patient over time, and what of the change is beyond noise."""

from her2crc.follow.results import follow_course, follow_results

__all__ = ["follow_course", "follow_results"]
