#!/usr/bin/env bash
# Of a table in several Parquet files the first is read, and its size is never known.
#
# Data Package 2 lets a resource have several paths, whose rows make one table, and says its size in
# `bytes`. frictionless 5.21.0 (Python) does both for CSV. For Parquet it reads the first path, counts the
# rows of that alone, and reports the resource as valid: a table of twelve months is checked, and read
# by `extract`, as its January. And a resource with one Parquet file and its true size in `bytes` is
# refused: the size that it compares with is "None". A package that wants to be checked has a resource for
# each Parquet file, without `bytes`.
#
# Seen on 2026-12-02, Python 3.11, pandas 3.1.1, fastparquet 2026.9.0. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/pip -q install frictionless==5.21.0 pandas==3.1.1 fastparquet==2026.9.0 pyarrow==26.0.1
python/bin/python - <<'PYTHON'
import csv
import json
import os

import pyarrow
import pyarrow.parquet
from frictionless import extract, validate

for name, first, end in (("january", 0, 3), ("february", 3, 7)):
    rows = {"meter": list(range(first, end)), "kwh": [row / 4 for row in range(first, end)]}
    pyarrow.parquet.write_table(pyarrow.table(rows), f"{name}.parquet")
    with open(f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows)
        writer.writerows(zip(*rows.values()))


def check(form, paths, **more):
    fields = [{"name": "meter", "type": "integer"}, {"name": "kwh", "type": "number"}]
    path = [f"{path}.{form}" for path in paths]
    path = path if len(path) > 1 else path[0]
    resource = {"name": "energy", "path": path, "format": form, "schema": {"fields": fields}, **more}
    with open("datapackage.json", "w") as file:
        json.dump({"name": "package", "resources": [resource]}, file)
    report = validate("datapackage.json")
    task = report.tasks[0]
    notes = [error.note for error in task.errors]
    read = len(extract("datapackage.json")["energy"])
    print(f"{form}, {len(paths)} files, {more}: valid {report.valid}, {read} rows read, {notes}")
    return report.valid, read, notes


both = ("january", "february")
assert check("csv", both) == (True, 7, [])
assert check("parquet", both) == (True, 3, []), "it has changed"
size = {form: os.path.getsize(f"january.{form}") for form in ("csv", "parquet")}
assert check("csv", both[:1], bytes=size["csv"]) == (True, 3, [])
valid, _, notes = check("parquet", both[:1], bytes=size["parquet"])
wanted = [f'expected is "{size["parquet"]}" and actual is "None"']
assert (valid, notes) == (False, wanted), "it has changed"
PYTHON
