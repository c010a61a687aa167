"""What the findings say together: on each claim of the source page, and how sure a share is.

Two views that exports have beside the tables, made from them and never edited. Nothing is pooled:
findings, papers and cohorts are counted, and the shares of different studies stay apart.
"""

from collections.abc import Iterable
from functools import cache, lru_cache, partial
from math import sqrt
from typing import Any

from pipeline.package import Package
from pipeline.package.typed import Record, TypedTable

# What the views are made from. A package that lacks any of it has none.
_NEEDS = {
    "statements": ("statement_id", "feature_id", "condition_id", "claim"),
    "findings": (
        "finding_id",
        "citation_id",
        "statement_id",
        "stance",
        "cohort",
        "measure",
        "comparator",
        "value",
        "lower",
        "upper",
        "interval",
        "n_events",
        "n_total",
    ),
}
_DECIMALS = 2
# The measures whose figures are shares, each with the word that tells it apart.
SHARES = {"percentage": "", "cumulative_percentage": "cumulative", "percentage_range": ""}
# What is counted, by which field, and what to know of it.
_COUNTED = {
    "findings": ("finding_id", ""),
    "papers": ("citation_id", ""),
    "cohorts": (
        "cohort",
        " The same patients count once, and findings without a cohort not at all.",
    ),
}
_ANSWERS = {
    "none": "Nothing is recorded, which is no agreement",
    "supports": "At least one finding supports the claim, and none contradicts it",
    "contradicts": "At least one finding contradicts the claim, and none supports it",
    "both": "At least one finding supports the claim, and another contradicts it",
    "neither": "Findings are recorded, and none of them takes sides",
}
_QUERY = """\
with shares as (
  select statement_id, finding_id, coalesce(value, lower) as low, coalesce(value, upper) as high
  from findings
  where stance in ('supports', 'contradicts') and coalesce(comparator, '=') = '='
    and measure in ({shares})
),
ranked as (
  select *,
    row_number() over (partition by statement_id order by low, finding_id) as from_lowest,
    row_number() over (partition by statement_id order by high desc, finding_id) as from_highest
  from shares
)
select
  s.statement_id,
  s.feature_id,
  s.condition_id,
  s.claim,
  case
    when count(f.finding_id) = 0 then 'none'
    when max(stance = 'supports') and max(stance = 'contradicts') then 'both'
    when max(stance = 'supports') then 'supports'
    when max(stance = 'contradicts') then 'contradicts'
    else 'neither'
  end as answer,
  {counts},
  lowest.low as lowest_share,
  lowest.finding_id as lowest_share_finding_id,
  highest.high as highest_share,
  highest.finding_id as highest_share_finding_id,
  coalesce(max(stance = 'contradicts' and f.n_events is not null), 0) as contradicted_with_counts
from statements as s
left join findings as f using (statement_id)
left join ranked as lowest on lowest.statement_id = s.statement_id and lowest.from_lowest = 1
left join ranked as highest on highest.statement_id = s.statement_id and highest.from_highest = 1
group by s.statement_id
order by s.statement_id"""


def views(package: Package) -> tuple[TypedTable, ...]:
    """The views of a package; none where it lacks what they need, or has tables of these names."""
    tables = {each.name: each for each in package.resources}
    if {"claims", "intervals"} & tables.keys() or not _NEEDS.keys() <= tables.keys():
        return ()
    if not all({*needed} <= {*tables[name].names} for name, needed in _NEEDS.items()):
        return ()
    return _made(tables["statements"].typed, tables["findings"].typed)


@lru_cache(maxsize=1)
def _made(statements: TypedTable, findings: TypedTable) -> tuple[TypedTable, ...]:
    """The views of these tables, which every format asks for, and whose rows are made once."""
    categories = findings.field("stance").get("categories", [])
    stances = {each["value"]: each.get("label") or each["value"] for each in categories}
    if not all(map(str.isidentifier, stances)):
        return ()
    sql = claims_query(stances)
    view = TypedTable.of_records
    shown = _claims_schema(statements, stances), _intervals_schema(findings)
    return (
        view("claims", shown[0], partial(claims, statements, findings, sql), sql),
        view("intervals", shown[1], partial(intervals, findings)),
    )


def claims_query(stances: Iterable[str]) -> str:
    """The query that makes a row for each statement in a database with the tables."""
    counts = [f"count(distinct f.{field}) as {what}" for what, (field, _) in _COUNTED.items()]
    counts += [
        f"count(distinct f.{field}) filter (where stance = '{stance}') as {stance}_{what}"
        for stance in stances
        for what, (field, _) in _COUNTED.items()
    ]
    shares = ", ".join(f"'{measure}'" for measure in SHARES)
    return _QUERY.format(counts=",\n  ".join(counts), shares=shares)


def claims(statements: TypedTable, findings: TypedTable, sql: str) -> list[Record]:
    """A record for each statement, by its id, as a database with these tables makes it."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    try:
        for each in (statements, findings):
            names = _NEEDS[each.name]
            rows = zip(*(each.columns[name] for name in names), strict=True)
            connection.execute(f"create table {each.name} ({', '.join(names)})")
            marks = ", ".join("?" * len(names))
            connection.executemany(f"insert into {each.name} values ({marks})", rows)
        found = connection.execute(sql)
        columns = [column[0] for column in found.description]
        records = [dict(zip(columns, row, strict=True)) for row in found]
    finally:
        connection.close()
    for record in records:
        record["contradicted_with_counts"] = bool(record["contradicted_with_counts"])
    return records


def intervals(findings: TypedTable) -> list[Record]:
    """A record for each finding with a 95% interval, in the order of the findings.

    What a paper gives stands before what is computed from counts, which is in percent.
    """
    counted = computed(findings)
    found = []
    for row in findings.records():
        key = row["finding_id"]
        if row["interval"] == "interval_95":
            lower, upper, source = row["lower"], row["upper"], "paper"
        elif key in counted:
            lower, upper = (round(end, _DECIMALS) for end in counted[key])
            source = "wilson"
        else:
            continue
        ends = {"interval_lower": lower, "interval_upper": upper}
        found.append({"finding_id": key, **ends, "interval_source": source})
    return found


def computed(findings: TypedTable) -> dict[str, tuple[float, float]]:
    """The 95% interval of each share with counts, in percent, by the finding."""
    share = findings.field("value").get("percentageOf")
    if not share:
        return {}
    return {
        row["finding_id"]: wilson(row[share["count"]], row[share["total"]])
        for row in findings.records()
        if row[share["count"]] is not None
        and all(row[name] in values for name, values in share["when"].items())
    }


@cache
def wilson(events: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share in percent, after Wilson (1927), without correction."""
    z = _z()
    share, more = events / total, z * z / total
    middle, half = share + more / 2, z * sqrt((share * (1 - share) + more / 4) / total)
    low, high = ((middle + way * half) / (1 + more) for way in (-1, 1))
    return 100 * max(low, 0.0), 100 * min(high, 1.0)


@cache
def _z() -> float:
    """Between it and its negative lies 95% of a normal distribution."""
    from statistics import NormalDist  # most runs compute no interval

    return NormalDist().inv_cdf(0.975)


def _claims_schema(statements: TypedTable, stances: dict[str, str]) -> dict[str, Any]:
    counts = [
        _field(what, what.capitalize(), f"How many {what} there are.{note}", "integer")
        for what, (_, note) in _COUNTED.items()
    ]
    counts += [
        _field(
            f"{stance}_{what}",
            f"{what.capitalize()}: {stance}",
            f"How many {what} have this stance: {label[0].lower()}{label[1:]}.{note}",
            "integer",
        )
        for stance, label in stances.items()
        for what, (_, note) in _COUNTED.items()
    ]
    of_what = (
        "of the findings that take sides, in percent; a bound is none. Empty where there is none."
    )
    shares = [
        field
        for which in ("lowest", "highest")
        for field in (
            _field(
                f"{which}_share",
                f"{which.capitalize()} share",
                f"The {which} share {of_what}",
                "number",
                required=False,
            ),
            _field(
                f"{which}_share_finding_id",
                f"Finding of the {which} share",
                f"The finding that gives the {which} share. Empty where there is none.",
                required=False,
            ),
        )
    ]
    return {
        "title": "Claims",
        "description": "One row is a claim of the source page, with what the findings say about "
        "it. Nothing is pooled: populations differ.",
        "fields": [
            *map(statements.field, _NEEDS["statements"]),
            _field("answer", "Answer", "What the findings say that take sides.", values=_ANSWERS),
            *counts,
            *shares,
            _field(
                "contradicted_with_counts",
                "Contradicted with counts",
                "Whether a finding contradicts the claim that gives its events and its total.",
                "boolean",
            ),
        ],
        "primaryKey": ["statement_id"],
    }


def _intervals_schema(findings: TypedTable) -> dict[str, Any]:
    return {
        "title": "Intervals",
        "description": "One row is the 95% interval of a finding: the one that the paper gives, or "
        "one computed from the counts of a share. Where the share is a bound, the interval is that "
        "of the bound.",
        "fields": [
            findings.field("finding_id"),
            _field(
                "interval_lower",
                "Lower end",
                "The lower end, in the unit of the measure.",
                "number",
            ),
            _field(
                "interval_upper",
                "Upper end",
                "The upper end, in the unit of the measure.",
                "number",
            ),
            _field(
                "interval_source",
                "Source of the interval",
                "Where the interval comes from.",
                values={
                    "paper": "The paper gives it",
                    "wilson": "Computed from events and total after Wilson, without correction",
                },
            ),
        ],
        "primaryKey": ["finding_id"],
    }


def _field(
    name: str,
    title: str,
    description: str,
    kind: str = "string",
    *,
    required: bool = True,
    values: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A field of a Table Schema."""
    field: dict[str, Any] = {"name": name, "type": kind, "title": title, "description": description}
    field["constraints"] = {"required": required}
    if values:
        field["categories"] = [{"value": v, "label": label} for v, label in values.items()]
        field["constraints"]["enum"] = list(values)
    return field
