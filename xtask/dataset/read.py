"""Reads a data set as researchers do: by pandas, polars and DuckDB, frictionless and mlcroissant.

`read.py FOLDER REFERENCE`: REFERENCE is the rules of energy in plain integers
(`ebp-dataset/tests/reference.py`), against which the imports of all meters are compared to the last
digit. Whatever differs is an assertion that fails.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import duckdb
import mlcroissant
import pandas
import polars
from frictionless import Package, system

# DuckDB 1.5 uses what pandas 3.1 announces to remove.
warnings.simplefilter("ignore", category=pandas.errors.Pandas4Warning)

FOLDERS = ["readings", "energy", "balance"]
FILES = ["daily", "spans", "households", "meters", "pv_systems", "incidents", "consents"]


def load(folder, table):
    """By each of the three, in one line."""
    if table in FOLDERS:
        return (
            pandas.read_parquet(folder / table),
            polars.read_parquet(folder / table / "*.parquet"),
            duckdb.sql(f"from '{folder / table}/*.parquet'").df(),
        )
    file = folder / f"{table}.parquet"
    return pandas.read_parquet(file), polars.read_parquet(file), duckdb.sql(f"from '{file}'").df()


def tables(folder):
    for table in FOLDERS + FILES:
        by_pandas, by_polars, by_duckdb = load(folder, table)
        assert len(by_pandas) == len(by_polars) == len(by_duckdb), table
        for column in by_pandas.columns:
            kind = str(by_pandas[column].dtype)
            if column.endswith(("_kwh", "_kw")):
                assert kind == "float64", f"{table}.{column} is {kind}"
                sums = by_pandas[column].sum(), by_polars[column].sum(), by_duckdb[column].sum()
                assert max(sums) - min(sums) < 1e-6, f"{table}.{column}: {sums}"
                nulls = by_pandas[column].isna().sum(), by_polars[column].null_count()
                assert nulls[0] == nulls[1] == by_duckdb[column].isna().sum(), f"{table}.{column}"
            if column in ("slot_start", "measured_at", "received_at"):
                assert kind == "datetime64[us, UTC]", f"{table}.{column} is {kind}"
        print(f"{table}: {len(by_pandas)} rows")


def descriptions(folder):
    with system.use_context(trusted=True):
        report = Package(str(folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "type", "note"])[:5]
    about = json.loads((folder / "oemetadata.json").read_text())
    assert len(about["resources"]) == len(report.tasks)
    for resource in about["resources"]:
        assert resource["description"] and resource["licenses"][0]["title"], resource["name"]
        for field in resource["schema"]["fields"]:
            assert field["description"], field["name"]
            assert field["unit"] or not field["name"].endswith("_kwh"), field["name"]
        if resource["path"].startswith(("energy", "balance")):
            series = resource["temporal"]["timeseries"][0]
            assert (series["alignment"], series["aggregationType"]) == ("left", "sum")
    croissant = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    name = next(it["name"] for it in about["resources"] if it["path"].startswith("energy"))
    records = croissant.records(record_set=name.replace("_", "-"))
    assert next(iter(records)), "a record"
    print(f"{len(report.tasks)} files are as datapackage.json, oemetadata.json and croissant.json say")


def line(reading):
    """A reading as the reference takes it."""
    text = f"{reading.measured_at} {reading.import_register_kwh:.{int(reading.register_decimals)}f}"
    bounds = [(1 << 5, 15), (1 << 4, 5), (1 << 3, 2)]
    within = [seconds for bit, seconds in bounds if reading.device_flags & bit]
    corrected = reading.device_flags & 4
    return f"{text} {within[0] if within else 0}" if corrected or within else text


def units(kwh):
    return "-" if pandas.isna(kwh) else str(round(kwh * 10**8))


def energies(folder, reference):
    readings = pandas.read_parquet(folder / "readings")
    readings["measured_at"] = readings["measured_at"].astype("int64")
    readings = readings[readings["import_register_kwh"].notna()]
    energy = pandas.read_parquet(folder / "energy")
    energy["slot_start"] = energy["slot_start"].astype("int64")
    compared = 0
    for meter, rows in readings.groupby("meter"):
        lines = "\n".join(map(line, rows.itertuples()))
        command = [sys.executable, reference]
        answer = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
        ours = energy[energy["meter"] == meter].set_index("slot_start")
        for row in answer.stdout.splitlines():
            slot, value, lo, hi, quality, _ = (row + " ").split(" ")[:6]
            found = ours.loc[int(slot)]
            got = [units(found[f"import_{part}kwh"]) for part in ("", "lo_", "hi_")]
            assert got == [value, lo, hi], f"{meter} at {slot}: {got}, not {[value, lo, hi]}"
            assert found["import_quality"] == quality, f"{meter} at {slot}"
            compared += 1
    assert compared > 2000, compared
    print(f"{compared} quarter hours equal the reference to the last digit")


if __name__ == "__main__":
    set_folder = Path(sys.argv[1]).resolve()
    tables(set_folder)
    descriptions(set_folder)
    energies(set_folder, sys.argv[2])
