"""What stops a load, each with what is wrong, where, and how to go on; never a value from the data."""


class Refused(Exception):
    """A load that didn't happen, for a reason someone can act on."""


class BadDeclaration(Refused):
    """A connector declares something that can't be loaded: for whoever wrote it."""


class BadConfiguration(Refused):
    """A setting holds something the project can't use: for whoever runs it."""


class BadFile(Refused):
    """A file that can't be read as what it claims to be: for whoever sent it."""


class WarehouseBusy(Refused):
    """Another process kept the warehouse longer than we wait."""


class LoadFailed(Refused):
    """Something else was in the way: an address, a permission, the warehouse."""
