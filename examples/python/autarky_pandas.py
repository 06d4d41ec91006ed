"""Autarky of each household by months, with pandas: `autarky_pandas.py FOLDER` of an exported set."""

import sys
from pathlib import Path

import pandas

daily = pandas.read_parquet(Path(sys.argv[1]) / "daily.parquet")
daily["month"] = pandas.to_datetime(daily["local_date"]).dt.strftime("%Y-%m")
# Days whose balance is not known are left out of both sums.
known = daily.dropna(subset=["consumption_kwh", "self_consumption_kwh"])
months = known.groupby(["household", "month"])[["consumption_kwh", "self_consumption_kwh"]].sum()
months["autarky"] = months["self_consumption_kwh"] / months["consumption_kwh"]
for (household, month), row in months.iterrows():
    print(f"{household},{month},{row.autarky:.6f}")
