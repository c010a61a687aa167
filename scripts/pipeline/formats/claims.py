"""What the findings say together: on each claim of the source page, and how sure a share is.

Two views that exports have beside the tables, made from them and never edited. Nothing is pooled:
findings, papers and cohorts are counted, and the shares of different studies stay apart.
"""

import sqlite3
from typing import Any, NamedTuple

from pipeline.formats import metadata
from pipeline.package import Package

# What the views are made from. A package that lacks any of it has none.
NEEDS: dict[str, tuple[str, ...]] = {
    "clinical_features": ("feature_id", "parent_id"),
    "statements": ("statement_id", "feature_id", "condition_id", "claim"),
    "findings": (
        "finding_id",
        "feature_id",
        "condition_id",
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
LIBRARIES = ("scipy",)
_DECIMALS = 2
_COUNTED = {"findings": "finding_id", "papers": "citation_id", "cohorts": "cohort"}
_SHARES = ("percentage", "cumulative_percentage", "percentage_range")
_ANSWERS = {
    "none": "Nothing is recorded, which is no agreement",
    "supports": "At least one finding supports the claim, and none contradicts it",
    "contradicts": "At least one finding contradicts the claim, and none supports it",
    "both": "Findings support the claim, and findings contradict it",
    "neither": "Findings are recorded, but none of them takes sides",
}


class View(NamedTuple):
    """Rows that are made from the tables; `schema` is a Table Schema of them."""

    name: str
    schema: dict[str, Any]
    rows: list[metadata.Record]


def views(package: Package) -> list[View]:
    """The views of a package whose tables were read; none where it lacks what they need."""
    fields = {resource.name: set(resource.names) for resource in package.resources}
    if not all(set(needed) <= fields.get(name, set()) for name, needed in NEEDS.items()):
        return []
    tables = {name: metadata.records(package, name) for name in NEEDS}
    stances = metadata.table_of(package, "findings").field("stance")["categories"]
    share = metadata.table_of(package, "findings").field("value")["percentageOf"]
    return [
        View("claims", claims_schema(stances), claims(tables, stances)),
        View("intervals", INTERVALS, intervals(tables["findings"], share)),
    ]


def claims(
    tables: dict[str, list[metadata.Record]], stances: list[dict[str, str]]
) -> list[metadata.Record]:
    """A record for each statement, in the order of their ids, as `claims_sql` makes them."""
    connection = sqlite3.connect(":memory:")
    try:
        for name, fields in NEEDS.items():
            connection.execute(f"create table {name} ({', '.join(fields)})")
            marks = ", ".join("?" * len(fields))
            rows = [[row[field] for field in fields] for row in tables[name]]
            connection.executemany(f"insert into {name} values ({marks})", rows)
        found = connection.execute(claims_sql(stances))
        names = [column[0] for column in found.description]
        records = [dict(zip(names, row, strict=True)) for row in found]
    finally:
        connection.close()
    for record in records:
        record["contradicted_with_counts"] = bool(record["contradicted_with_counts"])
    return records


def claims_sql(stances: list[dict[str, str]]) -> str:
    """The query behind the view `claims`; without a stance, all findings of a claim count."""
    counts = [
        f"count(distinct f.{field}) filter (where stance = '{stance['value']}')"
        f" as {stance['value']}_{what}"
        for stance in stances
        for what, field in _COUNTED.items()
    ]
    counts += [f"count(distinct f.{field}) as {what}" for what, field in _COUNTED.items()]
    measures = ", ".join(f"'{measure}'" for measure in _SHARES)
    listed = ",\n  ".join(counts)
    return f"""\
with recursive kinds (feature_id, kind_id) as (
  select feature_id, feature_id from clinical_features
  union
  select kinds.feature_id, kind.feature_id
  from kinds join clinical_features as kind on kind.parent_id = kinds.kind_id
),
shares as (
  select f.statement_id, finding_id, coalesce(value, lower) as low, coalesce(value, upper) as high
  from findings as f
  join statements as s using (statement_id)
  join kinds on kinds.feature_id = s.feature_id and kinds.kind_id = f.feature_id
  where stance in ('supports', 'contradicts', 'qualifies') and f.condition_id is not null
    and measure in ({measures}) and coalesce(comparator, '=') = '='
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
  {listed},
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


def claims_schema(stances: list[dict[str, str]]) -> dict[str, Any]:
    """What the columns of the view `claims` mean, as a Table Schema."""
    what_counts = {
        "findings": "rows",
        "papers": "papers",
        "cohorts": "cohorts, each once; rows without one are not among them, since nothing tells "
        "whose patients they describe",
    }
    labels = {stance["value"]: stance["label"] for stance in stances}
    share = (
        "of the findings on the feature of the claim, or on a kind of it, that support, contradict "
        "or qualify it; bounds and people without the condition are left out. In percent. Empty "
        "where there is none."
    )
    return {
        "title": "Claims",
        "description": "One row is a claim of the source page, with what the findings say about "
        "it. Nothing is pooled: populations differ.",
        "fields": [
            _field("statement_id", "Statement", "The identifier of the claim."),
            _field("feature_id", "Feature", "The clinical feature that the claim is about."),
            _field("condition_id", "Condition", "The disease that the claim is about."),
            _field("claim", "Claim", "The claim, in the words of this package."),
            _field("answer", "Answer", "Which way the findings point that take sides.", _ANSWERS),
            *(
                _field(
                    f"{value}_{what}",
                    f"{what.capitalize()}: {value}",
                    f"The number of {words}, of the stance: {label[0].lower()}{label[1:]}.",
                    kind="integer",
                )
                for value, label in labels.items()
                for what, words in what_counts.items()
            ),
            *(
                _field(
                    what,
                    what.capitalize(),
                    f"The number of {words}, of any stance.",
                    kind="integer",
                )
                for what, words in what_counts.items()
            ),
            *(
                _field(
                    f"{which}_share{of}",
                    f"{which.capitalize()} share{title}",
                    f"{text} {share}",
                    kind=kind,
                    required=False,
                )
                for which in ("lowest", "highest")
                for of, title, text, kind in (
                    ("", "", f"The {which} share", "number"),
                    (
                        "_finding_id",
                        ": finding",
                        f"The finding that gives the {which} share",
                        "string",
                    ),
                )
            ),
            _field(
                "contradicted_with_counts",
                "Contradicted with counts",
                "Whether a finding that gives its events and its total contradicts the claim.",
                kind="boolean",
            ),
        ],
        "primaryKey": ["statement_id"],
    }


def intervals(findings: list[metadata.Record], share: dict[str, Any]) -> list[metadata.Record]:
    """A record for each finding with a 95% interval, in percent where the measure is a share.

    `share` is the property percentageOf of a field: the fields of count and total, and when it is
    a percentage of them. What a paper prints stands before what is computed.
    """
    found = []
    for row in findings:
        if row["interval"] == "interval_95":
            bounds, source = (row["lower"], row["upper"]), "paper"
        elif row[share["count"]] is not None and all(
            row[name] in values for name, values in share["when"].items()
        ):
            bounds, source = wilson(row[share["count"]], row[share["total"]]), "wilson"
        else:
            continue
        found.append(
            {
                "finding_id": row["finding_id"],
                "interval_lower": bounds[0],
                "interval_upper": bounds[1],
                "interval_source": source,
            }
        )
    return found


def wilson(events: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share in percent, after Wilson (1927), without correction."""
    from scipy.stats import binomtest

    interval = binomtest(events, total).proportion_ci(method="wilson")
    lower, upper = (round(100 * float(end), _DECIMALS) for end in (interval.low, interval.high))
    return lower, upper


def _field(
    name: str,
    title: str,
    description: str,
    categories: dict[str, str] | None = None,
    *,
    kind: str = "string",
    required: bool = True,
) -> dict[str, Any]:
    """A field of a Table Schema."""
    field: dict[str, Any] = {"name": name, "type": kind, "title": title, "description": description}
    field["constraints"] = {"required": required}
    if categories:
        field["categories"] = [{"value": v, "label": label} for v, label in categories.items()]
        field["constraints"]["enum"] = list(categories)
    return field


INTERVALS: dict[str, Any] = {
    "title": "Intervals",
    "description": "One row is the 95% interval of a finding that has one, or whose share has "
    "counts.",
    "fields": [
        _field("finding_id", "Finding", "The identifier of the finding."),
        _field(
            "interval_lower",
            "Lower end",
            "The lower end, in the unit of the measure.",
            kind="number",
        ),
        _field(
            "interval_upper",
            "Upper end",
            "The upper end, in the unit of the measure.",
            kind="number",
        ),
        _field(
            "interval_source",
            "Source of the interval",
            "Where the interval comes from.",
            {
                "paper": "The paper prints it",
                "wilson": "Computed from the counts of the row, after Wilson",
            },
        ),
    ],
    "primaryKey": ["finding_id"],
}
