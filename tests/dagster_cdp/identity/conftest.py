"""A small town whose people are known: the tables that identity would have built, in DuckDB."""

import hashlib
from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from people import ADA, ADA_CARD, ADA_COOKIE, ADA_LOGIN, ADA_PHONE, BEN, BEN_LOGIN, KIOSK

from reverse_etl.warehouse import DuckDBWarehouse

CODES = {
    "user_id": 0, "loyalty_number": 1, "crm_contact_id": 2, "support_user_id": 3, "email": 4, "email_sha256": 5,
    "phone": 6, "card_fingerprint": 7, "order_id": 8, "device_id": 9, "anonymous_id": 10,
}  # fmt: skip
PRIORITIES = dict(zip(
    ["user_id", "loyalty_number", "crm_contact_id", "support_user_id", "order_id", "email", "email_sha256", "phone",
     "card_fingerprint", "device_id", "anonymous_id"],
    range(1, 12), strict=True,
))  # fmt: skip
BEGAN = datetime.fromisoformat("2026-03-01T09:00")
TABLES = """
create schema identity;
create table identity.identifiers (identifier_type varchar, identifier_value varchar, node_id bigint,
    observation_count bigint, is_blocked boolean, first_seen_at timestamp, last_seen_at timestamp,
    first_landed_at timestamp, _batch bigint);
create table identity.identifier_links (link_id varchar, left_node_id bigint, right_node_id bigint, left_type varchar,
    right_type varchar, source varchar, rule varchar, record_id varchar, observed_at timestamp,
    is_withdrawn boolean, _subject varchar, _row_id varchar, _landed_at timestamp,
    _load_id varchar, _batch bigint);
create table identity.probable_links (link_id varchar, left_node_id bigint, right_node_id bigint, left_type varchar,
    right_type varchar, rule varchar, observed_at timestamp, score decimal(9, 6),
    is_withdrawn boolean, _landed_at timestamp, _batch bigint);
create table identity.identifier_pairs (left_node_id bigint, right_node_id bigint, left_type varchar,
    right_type varchar, link_count bigint, first_observed_at timestamp, first_landed_at timestamp, tier integer,
    confidence varchar, rule varchar, score decimal(9, 6), decision varchar, is_live boolean,
    _batch bigint);
create table identity.identifier_groups (node_id bigint, component_id bigint, group_id bigint, is_shared boolean,
    shared_with varchar, neighbour_count bigint, _batch bigint);
create table identity.profile_identifiers (identifier_type varchar, identifier_value varchar, node_id bigint,
    profile_id varchar, group_id bigint, confidence varchar, profile_confidence varchar, is_shared boolean,
    since timestamp,
    first_seen_at timestamp, last_seen_at timestamp, _batch bigint);
create table identity.blocked_links (left_node_id bigint, right_node_id bigint, left_type varchar, left_value varchar,
    right_type varchar, right_value varchar, reason varchar, detail varchar, link_count bigint, tier integer,
    first_observed_at timestamp, left_profile_id varchar, right_profile_id varchar);
create table identity.profile_history (node_id bigint, identifier_type varchar, identifier_value varchar,
    profile_id varchar, previous_profile_id varchar, anchor_node_id bigint, cause varchar, valid_from timestamp,
    version integer, evidence_left_node_id bigint, evidence_right_node_id bigint, evidence_rule varchar,
    effective_at timestamp);
create view identity.profile_memberships as
    select *, lead(valid_from) over (partition by node_id, identifier_type order by version) as valid_to,
        lead(version) over (partition by node_id, identifier_type order by version) is null as is_current
    from identity.profile_history;
create table identity.profile_redirects (profile_id varchar, current_profile_id varchar);
create table identity.identifier_rules (identifier_type varchar, type_code integer, strength varchar,
    priority integer, max_per_profile integer, max_user_ids integer, max_loyalty_numbers integer,
    max_crm_contacts integer, max_emails integer, normaliser varchar, pii varchar);
"""


def profile_of(name):
    """A profile id of the right shape for a name in a story."""
    return "p_" + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:20]


def sha(address):
    return hashlib.sha256(address.encode()).hexdigest()


class Town:
    """People, what was seen of them, and what was refused."""

    def __init__(self, warehouse):
        self.warehouse = warehouse
        for statement in TABLES.split(";")[:-1]:
            warehouse.execute(statement)
        for kind, code in CODES.items():
            limit = 1 if kind in {"user_id", "loyalty_number"} else None
            guard = 2 if kind in {"device_id", "anonymous_id", "phone"} else None
            row = [kind, code, "strict", PRIORITIES[kind], limit, guard, guard, None, None, "trim", "user"]
            self._insert("identifier_rules", row)

    def node(self, kind, value):
        """The node id as the models make it: an address is known by its hash."""
        text = f"email:{sha(value)}" if kind == "email" else f"{kind}:{value}"
        if kind == "email_sha256":
            kind, text = "email", f"email:{value}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return (CODES[kind] << 59) + (int(digest[:15], 16) >> 1)

    def person(self, name, *identifiers, confidence="strict", shared=None):
        """A profile with these identifiers, `('email', 'ada@shop.example')` each; an address brings its hash."""
        nodes = [self.node(*identifier) for identifier in identifiers]
        rows = [*identifiers, *(("email_sha256", sha(value)) for kind, value in identifiers if kind == "email")]
        for kind, value in rows:
            node, last = self.node(kind, value), BEGAN + timedelta(days=30)
            if (kind, value) in identifiers:  # an address and its hash are one node, known by the address
                self._insert("identifiers", [kind, value, node, 1, False, BEGAN, last, BEGAN, 1])
            member = [
                kind,
                value,
                node,
                profile_of(name),
                min(nodes),
                confidence,
                confidence,
                shared is not None,
                BEGAN,
                BEGAN,
                last,
                1,
            ]
            self._insert("profile_identifiers", member)
            self.history(kind, value, name, version=1, cause="new", at=BEGAN)
        for node in nodes:
            group = [node, min(nodes), min(nodes), shared is not None, shared, 3 if shared else None, 1]
            self._insert("identifier_groups", group)
        return profile_of(name)

    def blocked(self, kind, value):
        """A placeholder: seen, but nobody's."""
        self._insert("identifiers", [kind, value, self.node(kind, value), 9, True, BEGAN, BEGAN, BEGAN, 1])

    def history(self, kind, value, name, *, version, cause, at, previous=None, because=(None, None)):
        left, right = because
        ends = [left and self.node(*left), right and self.node(*right)]
        rule = "same_record" if left else None
        row = [self.node(kind, value), kind, value, profile_of(name), previous and profile_of(previous), 0, cause, at]
        self._insert("profile_history", [*row, version, *ends, rule, at - timedelta(hours=1) if left else None])

    def evidence(self, one, other, *, source="shop", records=("r-1",), confidence="strict", tier=None, decision=None):
        """Records that carry both identifiers, and the pair that they make."""
        (left, left_type), (right, right_type) = sorted((self.node(*end), end[0]) for end in (one, other))
        tier = max(PRIORITIES[one[0]], PRIORITIES[other[0]]) if tier is None else tier
        for place, record in enumerate(records):
            seen = BEGAN + timedelta(days=place)
            self._insert("identifier_links", [
                f"{left}-{right}-{record}", left, right, left_type, right_type, source, "same_record", record, seen,
                False, f"{source}-{record}", record, seen, "load", 1,
            ])  # fmt: skip
        pair = [left, right, left_type, right_type, len(records), BEGAN, BEGAN, 0 if decision == "must_link" else tier]
        rule = "same_record" if records else None
        self._insert("identifier_pairs", [*pair, confidence, rule, None, decision, True, 1])

    def likeness(self, one, other, score):
        """A probable link and its pair."""
        (left, left_type), (right, right_type) = sorted((self.node(*end), end[0]) for end in (one, other))
        ends = [left, right, left_type, right_type]
        self._insert("probable_links", [
            f"{left}~{right}", *ends, "probable_person", BEGAN, score, False, BEGAN, 1,
        ])  # fmt: skip
        pair = [*ends, 1, BEGAN, BEGAN, 100, "loose", "probable_person", score, None, True, 1]
        self._insert("identifier_pairs", pair)

    def refusal(
        self, one, other, *, reason="too_many_for_one_profile", detail="user_id", links=1, between=(None, None)
    ):
        """Evidence that joins nobody, between the profiles of these names."""
        ends = sorted([(self.node(*one), one, between[0]), (self.node(*other), other, between[1])])
        (left, left_end, left_name), (right, right_end, right_name) = ends
        self._insert("blocked_links", [
            left, right, *left_end, *right_end, reason, detail, links, 9, BEGAN,
            left_name and profile_of(left_name), right_name and profile_of(right_name),
        ])  # fmt: skip

    def _insert(self, table, values):
        self.warehouse.execute(f"insert into identity.{table} values ({', '.join('?' * len(values))})", values)


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request, cdp_home):
    """An empty town in the warehouse of the environment; commands open the same one."""
    opened = open_duckdb(cdp_home) if request.param == "duckdb" else request.getfixturevalue("empty_postgres")
    with closing(opened) as warehouse:
        yield Town(warehouse)


def open_duckdb(home):
    return DuckDBWarehouse(duckdb.connect(str(home / "warehouse.duckdb")))


@pytest.fixture(name="profile_of")
def _profile_of():
    return profile_of


@pytest.fixture(name="sha")
def _sha():
    return sha


@pytest.fixture
def began():
    """When everybody was first seen."""
    return BEGAN


@pytest.fixture
def seed(tmp_path, monkeypatch):
    """The decisions of this town: a file of its own, with no decision yet."""
    from dagster_cdp.identity import decisions

    file = tmp_path / "seeds" / "identity_decisions.csv"
    file.parent.mkdir()
    file.write_text(",".join(decisions.COLUMNS) + "\n")
    monkeypatch.setattr(decisions, "SEED", file)
    return file


@pytest.fixture
def cdp(monkeypatch):
    """Run the command; `cdp('who', …)` gives its result, with text as wide as it likes to be."""
    from typer.testing import CliRunner

    from dagster_cdp.cli import app

    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def ada_and_ben(town):
    """Two people and a kiosk: Ada's cookie is tied to her by two ways, Ben was once seen with her phone."""
    town.person("ada", ADA_LOGIN, ADA, ADA_PHONE, ADA_COOKIE, ADA_CARD)
    town.person("ben", BEN_LOGIN, BEN)
    town.person("kiosk", KIOSK, shared="user_id")
    town.evidence(ADA_LOGIN, ADA, records=("o-1", "o-2", "o-3"), source="web_orders")
    town.evidence(ADA, ADA_PHONE, source="crm", records=("k-9",))
    town.evidence(ADA_LOGIN, ADA_COOKIE, source="web_events", records=("e-1",), confidence="loose")
    town.evidence(ADA_CARD, ADA_PHONE, source="loyalty_members", records=(ADA_CARD[1],))
    town.evidence(BEN_LOGIN, BEN, records=("o-8",), source="web_orders")
    town.refusal(ADA_PHONE, BEN_LOGIN, links=2, between=("ada", "ben"))
    for end, name in ((ADA_LOGIN, "ada"), (BEN_LOGIN, "ben")):
        town.refusal(end, KIOSK, reason="shared_identifier", links=4, between=(name, "kiosk"))
    merged = BEGAN + timedelta(days=2)
    town.history(*ADA_PHONE, "ada", version=2, cause="merge", at=merged, previous="old-ada", because=(ADA, ADA_PHONE))
    town.warehouse.execute(
        "insert into identity.profile_redirects values (?, ?), (?, ?)",
        [profile_of("ada"), profile_of("ada"), profile_of("old-ada"), profile_of("ada")],
    )
    return town
