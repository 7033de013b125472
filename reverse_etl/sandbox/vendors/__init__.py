"""One file is one vendor's server, below the path segment of its name; the file name is its registration."""
