"""One file is one destination; the file name is its registration."""
