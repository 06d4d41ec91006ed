"""Compares a set of CSV files with the rules of energy in plain integers, to the last digit.

`compare.py FOLDER REFERENCE`: FOLDER is a set of `ebp export --format csv`, REFERENCE
`ebp-dataset/tests/reference.py`. Only the standard library is needed. Energies, bounds, qualities and
flags of both registers of every meter are made of `readings/` and compared with `energy/`. Whatever
differs is an assertion that fails.
"""

import csv
import importlib.util
import sys
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

REGISTERS = ["import", "export"]
# Bits of `device_flags`, in the order of the Data API.
WITHIN = [(1 << 5, 15), (1 << 4, 5), (1 << 3, 2)]
CORRECTED, SUBSTITUTED, ANOTHER = 1 << 2, 1 << 6, 1 << 7
# Bits of `flags` that the reference makes: `power_out_of_range` is the device's.
BITS = {
    "no_reading": 0,
    "late": 1,
    "end_open": 2,
    "clock_corrected": 3,
    "register_reset": 4,
    "outlier": 5,
    "coarse": 6,
    "no_bracket": 8,
    "conflict": 10,
    "unconfirmed": 11,
}


def micros(text):
    at = datetime.fromisoformat(text).astimezone(UTC)
    whole = at.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + at.microsecond


def rows(folder, table):
    for file in sorted((folder / table).glob("*.csv")):
        with open(file, encoding="utf-8", newline="") as opened:
            yield from csv.DictReader(opened)


def decimals(text):
    return max(-Decimal(text).as_tuple().exponent, 0) if text else 0


def plain(text):
    return f"{Decimal(text):f}"


def reading(rules, row, register):
    """One register of a row, as the rules read it; nothing if it is not shown."""
    shown = {name: row[f"{name}_register_kwh"] for name in REGISTERS}
    if not shown[register]:
        return None
    flags = int(row["device_flags"])
    made = rules.Reading(f"{micros(row['measured_at'])} {plain(shown[register])}")
    places = decimals(plain(shown[register]))
    if register == "import" or not shown["import"]:
        places = int(row["register_decimals"])
    if shown["import"] and shown["export"] and not flags & SUBSTITUTED:
        # Trailing zeros are dropped: the other register of the telegram tells how exact this one is.
        other = decimals(plain(shown["export"])) if register == "import" else 0
        places = max(places, other, int(row["register_decimals"]))
    made.resolution = 10 ** (8 - min(places, 8))
    bounds = [seconds for bit, seconds in WITHIN if flags & bit]
    made.uncertainty = max(bounds, default=0) * 1_000_000
    made.corrected = bool(flags & CORRECTED)
    made.another = bool(flags & ANOTHER)
    return made


def units(text):
    return int((Decimal(text) * 10**8).to_integral_value()) if text else "-"


def compare(rules, name, readings, energies):
    count = 0
    made = {}
    for register in REGISTERS:
        shown = [one for one in (reading(rules, row, register) for row in readings) if one]
        made[register] = rules.segments(shown) if shown else None
    for row in energies:
        slot = micros(row["slot_start"])
        expected = set()
        for register in REGISTERS:
            if made[register] is None:
                continue
            _, energy, lo, hi, quality, flags = rules.row(*made[register], slot)
            got = [units(row[f"{register}_{part}kwh"]) for part in ("", "lo_", "hi_")]
            where = f"{register} of {name} at {row['slot_start']}"
            assert got == [energy, lo, hi], f"{where}: {got}, not {[energy, lo, hi]}"
            assert row[f"{register}_quality"] == quality, f"{where}: not {quality}"
            expected |= set(flags.split(",")) - {""}
            count += 1
        bits = {flag for flag, bit in BITS.items() if int(row["flags"]) >> bit & 1}
        assert bits == expected, f"{name} at {row['slot_start']}: {bits}, not {expected}"
    return count


def main():
    folder = Path(sys.argv[1])
    spec = importlib.util.spec_from_file_location("reference", sys.argv[2])
    rules = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rules)
    readings, energies = defaultdict(list), defaultdict(list)
    for table, kept in [("readings", readings), ("energy", energies)]:
        for row in rows(folder, table):
            kept[row["meter"]].append(row)
    count = sum(compare(rules, name, readings[name], energies[name]) for name in sorted(energies))
    assert count > 2000, count
    print(f"{count} energies of {len(energies)} meters equal the reference to the last digit")


main()
