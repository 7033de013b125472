"""Google's Data Manager API: user lists, conversions, requests that are worked on for a while. Token: `sandbox`.

A list of contact data exists when its id is asked for, unless the id ends with 404; others are made by POST
…/userLists. A request is PROCESSING when first asked about. Everybody counts as a European: members without both
consents are dropped. A hash that begins with eight zeros can't be processed, which is found out late.
POST /token gives a token for client `sandbox` and refresh token `sandbox`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs

from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.vendor import Answer, Call
from reverse_etl.sandbox.vendors import google_events
from reverse_etl.sandbox.vendors.google_checks import (
    MOST_DESTINATIONS,
    REQUESTS,
    Violation,
    bad_consent,
    bad_user_data,
    refused,
    unknown_field,
)
from reverse_etl.sandbox.vendors.google_members import add, found, moment, remove_older

TOKEN = "sandbox"  # noqa: S105 — nobody's
MOST_MEMBERS, MOST_PER_MINUTE, MOST_PER_DAY, POLLS = 10_000, 300, 100_000, 1
KEY_TYPES = {"userData": "CONTACT_ID", "mobileData": "MOBILE_ID", "userIdData": "USER_ID"}
ANSWERS = {
    "audienceMembers:ingest": "audienceMembersIngestionStatus",
    "audienceMembers:remove": "audienceMembersRemovalStatus",
    "audienceMembers:removeAll": "removeAllAudienceMembersStatus",
    "events:ingest": "eventsIngestionStatus",
}
Document = dict[str, Any]


class Vendor:
    """Kinds: lists, members/<list>, requests, usage, events/<conversion action>."""

    name = "google"
    environment: ClassVar[Mapping[str, str]] = {
        "GOOGLE_URL": "{url}",
        "GOOGLE_TOKEN_URL": "{url}/token",
        "GOOGLE_ACCESS_TOKEN": TOKEN,
    }

    def handle(self, request: Call, store: Store) -> Answer:  # noqa: PLR0911 — one per route
        if (request.method, request.path) == ("POST", "/token"):
            return _token(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused(status=401, name="UNAUTHENTICATED")
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "v1", verb) if verb in REQUESTS:
                return _write(request, store, verb)
            case ("GET", "v1", "requestStatus:retrieve"):
                return _status(store, request.query.get("requestId", ""))
            case ("POST", "v1", "accountTypes", _, "accounts", _, "userLists"):
                return _create(request, store)
            case ("GET", "v1", "accountTypes", _, "accounts", _, "userLists", id_):
                return _read(store, id_)
        return refused(status=404, name="NOT_FOUND")

    def failing(self, status: int, seconds: float) -> Answer:  # noqa: ARG002 — Google doesn't say when to come back
        names = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 409: "ABORTED", 429: "RESOURCE_EXHAUSTED"}
        names |= {500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
        limit = {"quota_limit": "IngestionMutateRequestsPerMinutePerProject"} if status == 429 else {}  # noqa: PLR2004
        return refused(status=status, name=names.get(status, "INVALID_ARGUMENT"), metadata=limit)


def _token(request: Call) -> Answer:
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    if form.get("grant_type") != "refresh_token" or {form.get("client_id"), form.get("refresh_token")} != {TOKEN}:
        return Answer(400, {"error": "invalid_grant"})
    return Answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})


def _list(store: Store, id_: str) -> Document | None:
    if not re.fullmatch(r"\d+", id_) or id_.endswith("404"):
        return None
    return store.get("lists", id_) or {"uploadKeyTypes": ["CONTACT_ID"]}


def _create(request: Call, store: Store) -> Answer:
    wanted = request.json()
    seconds = int(str(wanted.get("membershipDuration", "0s")).removesuffix("s"))
    if not wanted.get("displayName") or seconds % 86_400:
        return refused([("user_list", "INVALID_ARGUMENT", "displayName and whole days of membershipDuration.")])
    id_ = str(70_000_000 + store.count("lists") * 1_000)
    store.put("lists", id_, {"uploadKeyTypes": wanted["ingestedUserListInfo"]["uploadKeyTypes"]})
    return Answer(200, {"id": id_, **wanted})


def _read(store: Store, id_: str) -> Answer:
    if (own := _list(store, id_)) is None:
        return refused(status=404, name="NOT_FOUND")
    count = str(store.count(f"members/{id_}"))
    sizes = {f"{network}MembersCount": count for network in ("displayNetwork", "searchNetwork", "youtube", "gmail")}
    return Answer(200, {"id": id_, "ingestedUserListInfo": own, "sizeInfo": sizes, "membershipStatus": "OPEN"})


def _write(request: Call, store: Store, verb: str) -> Answer:
    if limit := _quota(store, request.now):
        return refused(status=429, name="RESOURCE_EXHAUSTED", metadata={"quota_limit": limit})
    try:
        said = request.json()
    except ValueError:
        return refused([("", "", "Invalid JSON payload received.")])
    if stray := unknown_field(said, REQUESTS[verb]):
        return refused([stray])
    violations = _bad_envelope(store, said, verb) or (
        google_events.flaws(said) if verb == "events:ingest" else _bad_members(store, said, verb)
    )
    if violations:
        return refused(violations)
    if said.get("validateOnly"):
        return Answer(200, {"requestId": "validated"})
    id_ = f"r{store.count('requests') + 1}"
    counts = _process(store, said, verb, request.now)
    total = len(said.get("audienceMembers") or said.get("events") or [])
    status = "SUCCESS" if not counts else "FAILED" if sum(counts.values()) == total else "PARTIAL_SUCCESS"
    destination = said["destinations"][0]
    store.put(
        "requests",
        id_,
        {"verb": verb, "status": status, "counts": counts, "total": total, "polls": 0, "to": destination},
    )
    return Answer(200, {"requestId": id_})


def _quota(store: Store, now: datetime) -> str:
    """Count a write; the name of the limit it goes over."""
    for limit, span, most in (("PerMinute", "%Y-%m-%dT%H:%M", MOST_PER_MINUTE), ("PerDay", "%Y-%m-%d", MOST_PER_DAY)):
        usage = store.get("usage", limit) or {}
        count = usage.get("count", 0) + 1 if usage.get("in") == now.strftime(span) else 1
        if count > most:
            return f"IngestionMutateRequests{limit}PerProject"
        store.put("usage", limit, {"in": now.strftime(span), "count": count})
    return ""


def _bad_envelope(store: Store, said: Document, verb: str) -> list[Violation]:
    places = said.get("destinations") or []
    if not 0 < len(places) <= MOST_DESTINATIONS:
        return [("destinations", "TOO_MANY_DESTINATIONS" if places else "REQUIRED_FIELD_MISSING", "1 to 10.")]
    for number, place in enumerate(places):
        path, own = f"destinations[{number}]", place.get("operatingAccount") or {}
        if own.get("accountType") not in {"GOOGLE_ADS", "DISPLAY_VIDEO_PARTNER", "DISPLAY_VIDEO_ADVERTISER"}:
            return [(f"{path}.operating_account", "INVALID_DESTINATION", "No such account type.")]
        if not re.fullmatch(r"\d+", own.get("accountId", "")):
            return [(f"{path}.operating_account.account_id", "INVALID_DESTINATION", "Digits only.")]
        if _list(store, place.get("productDestinationId", "")) is None:
            return [(f"{path}.product_destination_id", "INVALID_USER_LIST_ID", "No such list.")]
    if verb == "audienceMembers:ingest":
        terms = (said.get("termsOfService") or {}).get("customerMatchTermsOfServiceStatus")
        if terms != "ACCEPTED":
            return [("terms_of_service", "TERMS_AND_CONDITIONS_NOT_SIGNED", "Accept the terms.")]
    return bad_consent(said.get("consent") or {}, "consent")


def _bad_members(store: Store, said: Document, verb: str) -> list[Violation]:
    if verb == "audienceMembers:removeAll":
        return []
    members = said.get("audienceMembers") or []
    if not 0 < len(members) <= MOST_MEMBERS:
        return [
            ("audience_members", "TOO_MANY_AUDIENCE_MEMBERS" if members else "REQUIRED_FIELD_MISSING", "1 to 10000.")
        ]
    kinds = {kind for member in members for kind in KEY_TYPES if kind in member}
    if len(kinds) != 1:
        return [("audience_members", "MULTIPLE_DATA_TYPES_NOT_ALLOWED", "One data type per request.")]
    kind = kinds.pop()
    takes = (_list(store, said["destinations"][0]["productDestinationId"]) or {})["uploadKeyTypes"]
    if KEY_TYPES[kind] not in takes:
        return [("audience_members[0]", "INVALID_USER_LIST_TYPE", f"The list takes {takes}.")]
    if kind == "userData" and said.get("encoding") not in {"HEX", "BASE64"}:
        return [("encoding", "REQUIRED_FIELD_MISSING", "HEX or BASE64.")]
    return [
        flaw for number, member in enumerate(members) for flaw in _bad_member(member, f"audience_members[{number}]")
    ]


def _bad_member(member: Document, path: str) -> list[Violation]:
    flaws = bad_consent(member.get("consent") or {}, f"{path}.consent")
    if "userData" in member:
        return flaws + bad_user_data(member["userData"], f"{path}.user_data")
    raw = [*(member.get("mobileData") or {}).get("mobileIds", []), (member.get("userIdData") or {}).get("userId")]
    values = [value for value in raw if value]
    if not values or any("@" in value for value in values):
        flaws.append((path, "INVALID_AUDIENCE_MEMBER", "Ids that are no addresses."))
    return flaws


def _process(store: Store, said: Document, verb: str, now: datetime) -> dict[str, int]:
    """Do what is asked, and count what can't be done, by reason."""
    counts: dict[str, int] = {}
    for place in said["destinations"]:
        id_ = place["productDestinationId"]
        if verb == "events:ingest":
            counts = google_events.keep(store, id_, said, now)
        elif verb == "audienceMembers:removeAll":
            remove_older(store, f"members/{id_}", moment(said.get("removeAsOfTime") or now.isoformat()))
        elif verb == "audienceMembers:remove":
            store.drop_all(f"members/{id_}", found(store, f"members/{id_}", said["audienceMembers"]))
        else:
            counts = add(store, f"members/{id_}", said, now)
    return counts


def _status(store: Store, id_: str) -> Answer:
    if (job := store.get("requests", id_)) is None:
        return refused([("request_id", "INVALID_REQUEST_ID", "No such request.")])
    store.put("requests", id_, {**job, "polls": job["polls"] + 1})
    said: Document = {"destination": job["to"], "requestStatus": "PROCESSING"}
    if job["polls"] >= POLLS:
        said["requestStatus"] = job["status"]
        counted = {"recordCount": str(job["total"])}
        said[ANSWERS[job["verb"]]] = (
            {"userDataIngestionStatus": counted} if "Members:ingest" in job["verb"] else counted
        )
        if job["counts"]:
            errors = [{"recordCount": str(count), "reason": reason} for reason, count in job["counts"].items()]
            said["errorInfo"] = {"errorCounts": errors}
    return Answer(200, {"requestStatusPerDestination": [said]})
