"""One file is one kind of webhook sender; the file name is its registration."""
