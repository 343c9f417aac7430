"""From measurements to HER2 numbers with intervals, and what each published rule makes of them."""
