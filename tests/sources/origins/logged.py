"""Lines as the collector writes them, and the rows they become."""

import json

from sources.source import load_source

EVENTS = load_source("web_events")
LANE = "web_events.events"


def envelope(number, event=None, **more):
    event = {"type": "track", "event": "Seen", "anonymousId": f"a{number}", "properties": {"n": number}} | (event or {})
    facts = {"receivedAt": "2026-01-02T03:04:05.678Z", "writeKey": "wk", "messageId": f"m{number}", "sentAt": None}
    facts |= {"ip": None, "isBot": False, "consent": {"analytics": True}, "defaults": None}
    return json.dumps(facts | more | {"event": event}).encode()


def landed(town, columns="message_id"):
    return town.rows(f"select {columns} from raw.web_events__events order by message_id")


def one(town, log, columns, event=None, **more):
    log.append_now(LANE, [envelope(1, event, **more)])
    town.load(EVENTS)
    [row] = landed(town, columns)
    return row
