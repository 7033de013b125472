"""Who lives in the town of these tests; nobody of them exists."""

ADA = ("email", "ada.byron@shop.example")
ADA_LOGIN = ("user_id", "u-1001")
ADA_PHONE = ("phone", "+441632960001")
ADA_COOKIE = ("anonymous_id", "c-ada-laptop-77")
ADA_CARD = ("loyalty_number", "L-555-0001")
BEN = ("email", "ben@post.example")
BEN_LOGIN = ("user_id", "u-2002")
KIOSK = ("device_id", "kiosk-terminal-9")


def values():
    """What must not be read anywhere by default."""
    return [value for _, value in (ADA, ADA_LOGIN, ADA_PHONE, ADA_COOKIE, ADA_CARD, BEN, BEN_LOGIN, KIOSK)]
