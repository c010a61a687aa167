"""What the exports say of each claim and of each share, held against other ways to compute it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from published import RESOURCES, SCHEMAS, VIEWS, of_view, rows

STANCES = ["states", "supports", "contradicts", "qualifies", "extends"]
SHARES = ("percentage", "cumulative_percentage", "percentage_range")


def findings() -> pd.DataFrame:
    """The findings as pandas reads them."""
    return pd.DataFrame(rows("findings")).replace("", None)


# Newcombe RG, Statistics in Medicine 1998;17:857-872, table I, method 3.
@pytest.mark.parametrize(
    ("events", "total", "published"),
    [
        (81, 263, (25.53, 36.62)),
        (15, 148, (6.24, 16.05)),
        (0, 20, (0.00, 16.11)),
        (1, 29, (0.61, 17.18)),
    ],
)
def test_interval_is_the_published_one(events: int, total: int, published: tuple[float, float]):
    """Catches another interval under the name of Wilson, and another rounding."""
    from pipeline.evidence.claims import wilson

    assert tuple(round(end, 2) for end in wilson(events, total)) == published


def test_interval_is_that_of_another_library():
    """Catches one that is off at an end of the scale: below zero, above all, or a negative zero."""
    from statsmodels.stats.proportion import proportion_confint  # takes seconds

    from pipeline.evidence.claims import wilson

    for total in range(1, 101):
        events = np.arange(total + 1)
        published = np.transpose(proportion_confint(events, total, alpha=0.05, method="wilson"))
        ours = np.array([wilson(int(each), total) for each in events])
        np.testing.assert_allclose(ours, 100 * published, rtol=0, atol=1e-9)
        assert not np.signbit(ours).any()
        assert ours.max() <= 100


def test_every_share_with_counts_has_its_interval(unpacked: Path):
    """Catches an interval that another library computes otherwise, one too many and one too few."""
    from statsmodels.stats.proportion import proportion_confint  # takes seconds

    found = {row["finding_id"]: row for row in of_view(unpacked, "intervals")}
    expected = {}
    for row in rows("findings"):
        if row["interval"] == "interval_95":
            bounds, source = (float(row["lower"]), float(row["upper"])), "paper"
        elif row["measure"] in SHARES and row["n_events"]:
            counts = int(row["n_events"]), int(row["n_total"])
            shares = proportion_confint(*counts, alpha=0.05, method="wilson")
            bounds, source = tuple(round(100 * float(share), 2) for share in shares), "wilson"
        else:
            continue
        expected[row["finding_id"]] = {
            "finding_id": row["finding_id"],
            "interval_lower": bounds[0],
            "interval_upper": bounds[1],
            "interval_source": source,
        }
    assert found == expected
    assert {row["interval_source"] for row in found.values()} == {"paper", "wilson"}


def test_interval_holds_the_value(unpacked: Path):
    """Catches an interval of other counts than those of the figure."""
    values = {row["finding_id"]: float(row["value"]) for row in rows("findings") if row["value"]}
    for row in of_view(unpacked, "intervals"):
        value = values[row["finding_id"]]
        assert row["interval_lower"] <= value + 0.05
        assert row["interval_upper"] >= value - 0.05


def test_claims_are_counted_as_pandas_counts(unpacked: Path):
    """Catches a finding, a paper or a cohort that is counted twice, not at all or elsewhere."""
    table = findings()
    fields = {"findings": "finding_id", "papers": "citation_id", "cohorts": "cohort"}
    claims = of_view(unpacked, "claims")
    assert [row["statement_id"] for row in claims] == [
        row["statement_id"] for row in rows("statements")
    ]
    for claim in claims:
        own = table[table["statement_id"] == claim["statement_id"]]
        for what, field in fields.items():
            assert claim[what] == own[field].nunique()
            for stance in STANCES:
                chosen = own.loc[own["stance"] == stance, field]
                assert claim[f"{stance}_{what}"] == chosen.nunique()
        sides = {
            stance for stance in ("supports", "contradicts") if (own["stance"] == stance).any()
        }
        nothing = "neither" if len(own) else "none"
        answer = "both" if len(sides) == 2 else next(iter(sides), nothing)
        assert claim["answer"] == answer
    assert sum(claim["answer"] == "none" for claim in claims) == 9
    (stated,) = (claim for claim in claims if claim["states_findings"])
    assert stated["answer"] == "both"
    assert stated["contradicted_with_counts"]


def test_shares_of_a_claim_are_those_of_findings(unpacked: Path):
    """Catches a share that no finding reports, a bound among them, and a lower or a higher one."""
    table = findings()
    table = table[table["stance"].isin(["supports", "contradicts"]) & table["measure"].isin(SHARES)]
    table = table[table["comparator"].isin(["=", None])]
    low = table["value"].fillna(table["lower"]).astype(float)
    high = table["value"].fillna(table["upper"]).astype(float)
    seen = 0
    for claim in of_view(unpacked, "claims"):
        own = table["statement_id"] == claim["statement_id"]
        for which, shares, end in (("lowest", low, min), ("highest", high, max)):
            expected = end(shares[own], default=None)
            assert claim[f"{which}_share"] == expected
            named = claim[f"{which}_share_finding_id"]
            ties = table.loc[own & (shares == expected), "finding_id"]
            assert named == next(iter(ties), None)
            seen += expected is not None
    assert seen > 10


def test_views_are_the_same_in_every_format(unpacked: Path):
    """Catches a view that SQLite, Parquet or the nested document has otherwise than JSON."""
    nested = json.loads((unpacked / "json/spinal-metastases.json").read_text(encoding="utf-8"))
    inside = [row for each in nested["clinical_features"] for row in each["findings"]]
    found = {
        "claims": nested["claims"],
        "intervals": [row["interval_95"] for row in inside if row["interval_95"]],
    }
    for name, records in found.items():
        expected = of_view(unpacked, name)
        assert sorted(records, key=lambda row: next(iter(row.values()))) == expected
        frame = pd.read_parquet(unpacked / f"parquet/{name}.parquet")
        assert frame.astype(object).where(frame.notna(), None).to_dict("records") == expected
        with closing(sqlite3.connect(unpacked / "spinal-metastases.sqlite")) as connection:
            connection.row_factory = sqlite3.Row
            assert [dict(row) for row in connection.execute(f"select * from {name}")] == expected
            (kind,) = connection.execute(
                "select type from sqlite_master where name = ?", [name]
            ).fetchone()
        assert kind == {"claims": "view", "intervals": "table"}[name]


def test_views_stand_in_no_table():
    """Catches a computed value among the curated ones."""
    assert not {*VIEWS} & RESOURCES.keys()
    names = {field["name"] for schema in SCHEMAS.values() for field in schema["fields"]}
    assert not {"interval_lower", "interval_upper", "interval_source"} & names
