"""Autarky of each household by months, with DuckDB: `autarky_duckdb.py FOLDER` of an exported set."""

import sys
from pathlib import Path

import duckdb

daily = Path(sys.argv[1]) / "daily.parquet"
# Days whose balance is not known are left out of both sums.
months = duckdb.execute(
    """
    select household, strftime(local_date, '%Y-%m') as month,
           sum(self_consumption_kwh) / sum(consumption_kwh) as autarky
    from read_parquet(?)
    where consumption_kwh is not null and self_consumption_kwh is not null
    group by all order by all
    """,
    [str(daily)],
)
for household, month, autarky in months.fetchall():
    print(f"{household},{month},{autarky:.6f}")
