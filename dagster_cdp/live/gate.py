"""Which models may be tagged `hot`: those whose compiled SQL, run over and over, does what `dbt build` would do.

The runner executes what dbt compiled, once per cycle. What dbt does around that SQL (hooks), or puts into it while
compiling (the time, a variable), it can't repeat; so such a model is refused, with the reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HOT = "hot"
STRATEGIES = ("append", "delete+insert", "merge", "replace", "repeated")
MATERIALISED = ("incremental", "resolution")

CODE = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FROZEN = {
    "run_started_at": "the moment of the compilation would stand for ever",
    "invocation_id": "the id of the compilation would stand for ever",
    "var": "its value would stand as it was compiled; read a seed or a table",
    "env_var": "its value would stand as it was compiled; read a seed or a table",
    "flags": "it would be another model in a cycle than in a build",
    "invocation_args_dict": "it would be another model in a cycle than in a build",
    "thread_id": "it would be another model in a cycle than in a build",
    "now": "the moment of the compilation would stand for ever; use cdp_now()",
    "utcnow": "the moment of the compilation would stand for ever; use cdp_now()",
}
CALLED = ("var", "env_var", "now", "utcnow")  # as plain words they may be anything
CLOCK = "macro.cdp.cdp_now"  # reads CDP_NOW, with which tests stop the clock for a whole process


class NotHot(RuntimeError):
    """Models tagged `hot` that the runner can't honour; the message names each with its reason."""


@dataclass(frozen=True)
class Refusal:
    """Why one model may not be hot."""

    model: str
    reason: str

    def __str__(self) -> str:
        return f"{self.model}: {self.reason}"


def require_hot(manifest: Mapping[str, Any]) -> list[str]:
    """The hot models in the order in which they are built, by unique id. Raises NotHot."""
    models = hot_models(manifest)
    if refused := [refusal for name in models for refusal in refusals(name, manifest)]:
        raise NotHot("these models can't be hot: " + "; ".join(map(str, refused)))
    return models


def hot_models(manifest: Mapping[str, Any]) -> list[str]:
    """Unique ids of the models tagged `hot`, those that are read before those that read."""
    nodes = manifest["nodes"]
    wanted = [name for name, node in nodes.items() if node["resource_type"] == "model" and HOT in node["tags"]]
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in order or name not in nodes:
            return
        for parent in nodes[name].get("depends_on", {}).get("nodes", []):
            visit(parent)
        order[name] = None

    for name in sorted(wanted):
        visit(name)
    return [name for name in order if name in set(wanted)]


def refusals(name: str, manifest: Mapping[str, Any]) -> Iterator[Refusal]:
    """Every reason why the runner can't honour this model."""
    node = manifest["nodes"][name]
    reasons = [*_kind(node), *_hooks(node), *_frozen(node, manifest), *_twins(name, manifest)]
    yield from (Refusal(node["name"], reason) for reason in reasons)


def _kind(node: Mapping[str, Any]) -> Iterator[str]:
    config = node["config"]
    kind = config["materialized"]
    if kind not in MATERIALISED:
        yield f"materialised as {kind}, whose cost grows with the warehouse; use {' or '.join(MATERIALISED)}"
    strategy = config.get("incremental_strategy") or "append"
    if kind == "incremental" and strategy not in STRATEGIES:
        yield f"the strategy {strategy} is not one of {', '.join(STRATEGIES)}"
    if node.get("language", "sql") != "sql":
        yield "it is not SQL"


def _hooks(node: Mapping[str, Any]) -> Iterator[str]:
    for hook in ("pre-hook", "post-hook"):
        if node["config"].get(hook):
            yield f"it has a {hook}, which no cycle would run"
    if node["config"].get("sql_header"):
        yield "it has an sql_header, which no cycle would run"


def _frozen(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Words whose value is known only while dbt compiles, in the model or in a macro of the project that it uses."""
    texts = {"": node["raw_code"], **{f" (in {name})": text for name, text in _macros(node, manifest).items()}}
    for where, text in texts.items():
        for word in frozen_words(text):
            yield f"`{word}`{where}: {FROZEN[word]}"


def frozen_words(text: str) -> list[str]:
    """Those words that this template says in its code, not in its SQL or its comments."""
    code = " ".join(CODE.findall(COMMENT.sub("", text)))
    return [word for word in FROZEN if _is_used(word, code)]


def _is_used(word: str, code: str) -> bool:
    of_a_module = r"\." if word in ("now", "utcnow") else r"\b"
    return bool(re.search(of_a_module + word + (r"\s*\(" if word in CALLED else r"\b"), code))


def _macros(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, str]:
    """The project's own macros that the model calls, also through others, but for the clock.

    By what the text says, not by `depends_on`: dbt doesn't note what only an increment calls.
    """
    own = {
        macro["name"]: macro["macro_sql"]
        for name, macro in manifest["macros"].items()
        if macro["package_name"] == node["package_name"] and name != CLOCK
    }
    found: dict[str, str] = {}
    waiting = [*_called(node["raw_code"]), f"materialization_{node['config']['materialized']}_default"]
    while waiting:
        if (name := waiting.pop()) in own and name not in found:
            found[name] = own[name]
            waiting += _called(own[name])
    return found


def asks_time(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether a model asks the clock, itself or in a macro."""
    return any("cdp_now" in _called(text) for text in [node["raw_code"], *_macros(node, manifest).values()])


def _called(text: str) -> list[str]:
    """Names that this template calls, also as `dialect__name` of what it dispatches."""
    names = re.findall(r"(\w+)\s*\(|'(\w+)'", " ".join(CODE.findall(COMMENT.sub("", text))))
    called = [one or other for one, other in names]
    return [*called, *(f"{dialect}__{name}" for name in called for dialect in ("default", "duckdb"))]


def _twins(name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """A second model of the same table would be a second implementation."""
    mine = _place(manifest["nodes"][name])
    for other, node in manifest["nodes"].items():
        if other != name and node["resource_type"] in ("model", "seed", "snapshot") and _place(node) == mine:
            yield f"{node['name']} writes the same table"


def _place(node: Mapping[str, Any]) -> tuple[str, str]:
    return str(node["schema"]).lower(), str(node["alias"]).lower()


def require_same(wanted: str, executed: Iterable[str], model: str) -> None:
    """Refuse SQL for a model that isn't what dbt compiled for it: a second implementation."""
    if not any(_squeezed(wanted) in _squeezed(statement) for statement in executed):
        raise NotHot(f"{model}: the cycle would run other SQL than dbt compiled for it, a second implementation")


def _squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()
