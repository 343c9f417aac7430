"""Stage of follow-up: how HER2 changes in one patient over time, and what of the change is beyond noise."""
