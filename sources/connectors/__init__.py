"""One file is one source; the file name is its registration."""
