"""Front end for prose: HER2 findings out of report text, each with its place in the text."""
