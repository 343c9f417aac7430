"""Front end for sequencing: the copy number of ERBB2 out of the files of copy-number callers, with its interval."""
