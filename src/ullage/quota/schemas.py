"""Each JSON document that a command prints or hands on, typed, and its schema; `contract` has usage's two."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from ullage.base.hiding import hide_module
from ullage.base.values import format_time

with hide_module("typing_extensions"):
    # msgspec takes what it needs from typing instead, and imports faster that way.
    import msgspec
    from msgspec import UNSET, Meta, Struct, UnsetType

from ullage.quota import contract, fields
from ullage.quota.fields import Moment, Percent, State  # noqa: TC001  # msgspec looks them up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ullage.base.record import Record
    from ullage.quota.contract import ProblemDocument
    from ullage.quota.pace import Sample

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"

PanelLevel = Literal["normal", "warning", "critical", "exhausted", "stale", "none"]
Colour = Annotated[str, Meta(description="as the palette has it", pattern="^#[0-9a-f]{6}$")]


class Document(Struct):
    """What the documents beside those of the contract are made of."""


Changed = TypeVar("Changed", bound=Document)


def _contract_in_structs() -> dict[str, type[Struct]]:
    """Return the documents of the contract by name as what msgspec knows how to describe."""
    structs: dict[str, type[Struct]] = {}
    for document in contract.DOCUMENTS:
        name = document.__name__
        alone = type(name, (), {"__annotations__": document.__annotations__})
        held = get_type_hints(alone, {**vars(fields), **structs}, include_extras=True)
        structs[name] = msgspec.defstruct(name, held.items(), namespace={"__doc__": document.__doc__})
    return structs


CONTRACT = _contract_in_structs()
if not TYPE_CHECKING:
    ProblemDocument = CONTRACT["ProblemDocument"]


class SampleDocument(Document):
    at: Moment
    window: str
    used_percent: Percent
    resets_at: Moment | None


class HistoryDocument(Document):
    schema: Literal[1]
    samples: list[SampleDocument]


class AlertWindowDocument(Document):
    id: str
    label: str | None
    used_percent: Percent | None
    resets_at: Moment | None


class AlertDocument(Document):
    schema: Literal[1]
    kind: Literal["threshold", "forecast", "reset", "failing", "test"]
    title: str
    message: str
    at: Moment
    threshold: Percent | None
    window: AlertWindowDocument | None


class HookOutputDocument(Document, omit_defaults=True):
    hookEventName: Literal["UserPromptSubmit", "PreToolUse"]  # noqa: N815  # Claude Code's names
    permissionDecision: Literal["deny"] | None = None  # noqa: N815
    permissionDecisionReason: str | None = None  # noqa: N815
    additionalContext: str | None = None  # noqa: N815


class HookDocument(Document, omit_defaults=True):
    decision: Literal["block"] | None = None
    reason: str | None = None
    systemMessage: str | None = None  # noqa: N815
    hookSpecificOutput: HookOutputDocument | None = None  # noqa: N815


class HostDocument(Document):
    name: str
    program: str | None
    version: str | None
    minimum: str
    enough: bool | None
    file: str | None
    set_up: Literal["block", "edited", "by hand", "damaged", "none"]
    line: int | None
    seen: bool | None
    seen_at_login: bool | None
    hook_microseconds: float | None


class DirectoryDocument(Document):
    directory: str
    exists: bool
    mode: str | None
    yours: bool | None


class CacheDocument(DirectoryDocument):
    trusted: Annotated[bool, Meta(description="filled by another, and only read: no refresh is started")]


class HistoryFileDocument(Document):
    file: str
    exists: bool
    bytes: int | None
    mode: str | None
    yours: bool | None
    samples: int | None
    damaged: list[str]


class StateDocument(DirectoryDocument):
    history: HistoryFileDocument


class ReadingDocument(Document):
    source: str
    as_of: Moment
    age_seconds: int
    state: State
    windows: int


class RunningDocument(Document):
    process: int
    since: Moment
    stopped: bool


class RefreshDocument(Document):
    attempted_at: Moment | None
    next_at: Moment | None
    due: bool
    held_until: Moment | None
    failures: int
    problem: ProblemDocument | None
    running: Annotated[RunningDocument | None, Meta(description="the process that refreshes now")]


class SourceDocument(Document):
    name: str
    in_force: bool
    obstacle: str | None
    as_of: Moment | None
    age_seconds: int | None
    cost: str


class SentDocument(Document):
    way: str
    succeeded_at: Moment | None
    problem: str | None


class ConfigDocument(Document):
    path: str | None
    exists: bool
    wrong_lines: list[int]
    source: str
    push_to_tmux: bool


class WrongDocument(Document):
    code: str
    message: str


class SignInDocument(Document):
    plan_tier: Annotated[str | None, Meta(description="the plan's tier in Claude Code's words, as in max_20x")]
    expires_at: Annotated[Moment | None, Meta(description="when /login is needed again")]
    looked_at: Annotated[Moment, Meta(description="when that was looked up, once a day at most")]


class PushDocument(Document):
    """How the last push to other machines went."""

    succeeded_at: Moment | None
    problem: str | None


class DoctorDocument(Document):
    schema: Literal[1]
    ullage: str
    python: str
    system: str
    variables: list[str]
    hosts: list[HostDocument]
    prompt_milliseconds: dict[str, float | None]
    cache: CacheDocument | None
    state: StateDocument | None
    reading: ReadingDocument | None
    refresh: RefreshDocument
    sources: list[SourceDocument]
    sign_in: Annotated[SignInDocument | None, Meta(description="what `claude auth status` said last")]
    metrics: list[SentDocument]
    push: Annotated[PushDocument | None, Meta(description="null where nothing is handed on to other machines")]
    config: ConfigDocument
    findings: list[WrongDocument]
    exit_code: Literal[0, 2, 3, 4, 5]


class TokenSumDocument(Document, kw_only=True):
    """The sum of responses; of the names in its beginning, a row has those that its report is grouped by."""

    day: str | UnsetType = UNSET
    week: str | UnsetType = UNSET
    month: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    project: str | UnsetType = UNSET
    branch: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    speed: str | UnsetType = UNSET
    context: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    machine: str | UnsetType = UNSET
    starts_at: str | UnsetType = UNSET
    ends_at: str | UnsetType = UNSET
    basis: str | UnsetType = UNSET
    used_percent: Annotated[Percent | UnsetType | None, Meta(description="as the server stated it last")] = UNSET
    responses: int
    input_tokens: int
    output_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    thinking_tokens: Annotated[int, Meta(description="part of the output")]
    total_tokens: int
    web_searches: int
    cost_usd: Annotated[float | None, Meta(description="by the list price; null where no model has a price")]
    costs_usd: Annotated[dict[str, float] | None, Meta(description="the same by what was charged for")]
    unpriced_tokens: int
    models: list[str]
    first_at: Moment | None
    last_at: Moment | None


class MachineTokensDocument(Document):
    machine: str
    tokens: int
    percent_of_visible_tokens: float | None


class TokenWindowDocument(Document):
    starts_at: Moment
    ends_at: Moment
    basis: str
    visible_tokens: int
    machines: list[MachineTokensDocument]


class PriceListDocument(Document):
    date: str
    source: str
    currency: Literal["USD"]
    overridden: list[str]


class UnpricedDocument(Document):
    model: str
    tokens: int


class RootDocument(Document):
    machine: str
    directory: str
    files: int


class TokensDocument(Document):
    schema: Literal[1]
    note: str
    by: str
    timezone: str
    since: Moment | None
    until: Moment | None
    rows: list[TokenSumDocument]
    total: TokenSumDocument
    running_window: TokenWindowDocument | None
    prices: PriceListDocument
    unpriced: list[UnpricedDocument]
    roots: list[RootDocument]
    skipped: Annotated[dict[str, int], Meta(description="files and lines that were not read as written, by kind")]


class MeterDocument(Document):
    name: str
    counts: Literal["quota", "tokens", "organisation", "not read"]
    what: str
    exact: str
    fresh: str | None
    needs: str | None
    costs: str
    command: Annotated[str | None, Meta(description="what shows it, where `ullage usage` does not")]
    is_source: bool
    in_auto: bool
    in_force: bool
    usable: Annotated[bool | None, Meta(description="null for what ullage does not read")]
    obstacle: str | None
    as_of: Moment | None


class MetersDocument(Document):
    schema: Literal[1]
    source: str
    meters: list[MeterDocument]


class PanelSpanDocument(Document):
    text: str
    level: PanelLevel | None
    colour: Colour | None
    bold: bool


class PanelRowDocument(Document):
    window: Annotated[str | None, Meta(description="the window's id, as --window takes it; null for the credits")]
    label: str
    text: Annotated[str, Meta(description="the number with its marks, as a table shows it")]
    level: PanelLevel | None
    colour: Colour | None
    used_percent: Percent | None
    elapsed_percent: Annotated[Percent | None, Meta(description="how much of the window's time has passed")]
    course: Annotated[str, Meta(description="how it came to that, as a sparkline; empty when that is not known")]
    outlook: Annotated[str, Meta(description="its reset, and what is expected until then")]
    stated: Annotated[str, Meta(description="when that was read, and who said so")]


class PanelDocument(Document):
    schema: Literal[1]
    revision: Annotated[str, Meta(description="differs when a bar shows something else; --after waits for that")]
    text: Annotated[str, Meta(description="what a bar shows; empty while nothing is known")]
    short_text: str
    spans: Annotated[list[PanelSpanDocument], Meta(description="the text in pieces, each with its colour")]
    level: Annotated[PanelLevel, Meta(description="what colours a bar that knows one colour only")]
    colour: Colour | None
    severity: Literal["normal", "warning", "critical", "exhausted"]
    state: State
    used_percent: Annotated[Percent | None, Meta(description="of the window that the text is about")]
    counts: Annotated[Literal["used", "left"], Meta(description="what the numbers in the texts say")]
    tooltip: Annotated[str, Meta(description="lines of plain text")]
    rows: list[PanelRowDocument]
    origin: Annotated[str, Meta(description="whose numbers, how old they are, who said so")]
    problem: Annotated[str | None, Meta(description="what went wrong on the last refresh, and what to do")]
    page: Annotated[str, Meta(description="the provider's own page of usage")]
    refresh: Annotated[list[str], Meta(description="the command that asks for a new reading: a word an item")]


DOCUMENTS: dict[str, tuple[type[Struct], str, str]] = {
    "usage": (CONTRACT["UsageDocument"], "ullage usage", "How much of a Claude plan's quota is used."),
    "all": (CONTRACT["ProfilesDocument"], "ullage usage --all", "The same for every profile, each account once."),
    "history": (HistoryDocument, "ullage history", "What the windows stood at, in order of time."),
    "guard": (CONTRACT["GuardDocument"], "ullage guard", "Whether there is room, and why."),
    "alerts": (AlertDocument, "ullage alerts", "What a command for alerts reads on stdin."),
    "hook": (HookDocument, "ullage hook", "The answer to a hook, in the form that Claude Code documents."),
    "panel": (PanelDocument, "ullage panel json", "What a widget shows: a line an update with --follow."),
    "tokens": (TokensDocument, "ullage tokens", "The tokens in the transcripts, and their list price."),
    "sources": (MetersDocument, "ullage sources", "Every meter, and what this machine can do with it."),
    "doctor": (DoctorDocument, "ullage doctor", "What is set up, read, due and wrong."),
}


def build_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document by its name in DOCUMENTS; it allows fields that a later version adds."""
    document, title, description = DOCUMENTS[name]
    return {
        "$schema": SCHEMA_ID,
        "title": title,
        "description": f"{description} Fields are added, never renamed.",
        **msgspec.json.schema(document),
    }


def build_components(documents: Iterable[type[Struct]]) -> dict[str, Any]:
    """Return the schemas of documents, and of what they hold, by name, as OpenAPI refers to them."""
    return msgspec.json.schema_components(documents, ref_template="#/components/schemas/{name}")[1]


def encode(document: Document | Record) -> bytes:
    """Return a document as indented JSON."""
    return msgspec.json.format(encode_line(document), indent=1) + b"\n"


def encode_line(document: Document | Record) -> bytes:
    """Return a document as JSON on one line."""
    return msgspec.json.encode(document, enc_hook=vars)


def describe_sample(window: str, sample: Sample) -> SampleDocument:
    """Return what a window stood at, as a document."""
    return SampleDocument(
        at=format_time(sample.at),
        window=window,
        used_percent=sample.used_percent,
        resets_at=format_time(sample.resets_at) if sample.resets_at else None,
    )


def make_plain(document: Document | Record) -> dict[str, Any]:
    """Return a document as dictionaries, lists, texts and numbers; what has no value is left out."""
    plain: dict[str, Any] = msgspec.to_builtins(document, enc_hook=vars)
    return plain


def revise(document: Changed, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Changed:
    """Return the same kind of document from its plain values as `change` returns them."""
    return msgspec.convert(change(make_plain(document)), type(document))
