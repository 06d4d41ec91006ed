"""Autarky of each household by months, with polars: `autarky_polars.py FOLDER` of an exported set."""

import sys
from pathlib import Path

import polars
from polars import col

months = (
    polars.scan_parquet(Path(sys.argv[1]) / "daily.parquet")
    # Days whose balance is not known are left out of both sums.
    .drop_nulls(["consumption_kwh", "self_consumption_kwh"])
    .group_by("household", col("local_date").dt.strftime("%Y-%m").alias("month"))
    .agg(autarky=col("self_consumption_kwh").sum() / col("consumption_kwh").sum())
    .sort("household", "month")
    .collect()
)
for household, month, autarky in months.iter_rows():
    print(f"{household},{month},{autarky:.6f}")
