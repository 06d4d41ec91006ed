"""Quarter hours of a register by the rules as they are written, in plain integers.

Written apart from the crate and for reading, not for speed: each boundary looks at all readings of
its segment. Lines of standard input are `MICROSECONDS KWH [SECONDS]`: when, what the register shows
with its decimals, and by how many seconds the instant may be off. Lines of standard output are
`SLOT ENERGY LO HI QUALITY FLAGS`, energies in 10^-8 kWh, `-` for what is not known.
"""

import sys

QUARTER = 900_000_000
HOUR = 4 * QUARTER
POWER = 7_590_000_000  # 75.9 kW in 10^-8 kW
NEAR = 60_000_000
FINE = 1_000_000
FLAGS = [
    "no_reading",
    "late",
    "end_open",
    "clock_corrected",
    "register_reset",
    "outlier",
    "coarse",
    "no_bracket",
    "conflict",
    "unconfirmed",
]


class Reading:
    def __init__(self, line):
        words = line.split()
        self.at = int(words[0])
        decimals = len(words[1].partition(".")[2])
        self.resolution = 10 ** (8 - decimals)
        self.value = int(words[1].replace(".", "")) * self.resolution
        self.corrected = len(words) > 2
        self.uncertainty = int(words[2]) * 1_000_000 if self.corrected else 0


def growth(microseconds):
    """What a register grows by at most, rounded up."""
    return -(-POWER * max(microseconds, 0) // HOUR)


def fits(before, after):
    coarser = max(before.resolution, after.resolution)
    grown = after.value // coarser * coarser - before.value // coarser * coarser
    return 0 <= grown <= POWER * (after.at - before.at) // HOUR + coarser


def segments(readings):
    """Segments, and the readings that are not used by why; of one instant the first is kept."""
    unused = {"conflict": [], "outlier": [], "unconfirmed": []}
    found, waiting, last = [], None, None
    for reading in readings:
        if last is not None and last.at == reading.at:
            if last.value != reading.value:
                unused["conflict"].append(reading)
            continue
        last = reading
        if not found:
            found.append([reading])
        elif fits(found[-1][-1], reading):
            unused["outlier"] += [waiting] if waiting else []
            found[-1].append(reading)
            waiting = None
        elif waiting and fits(waiting, reading):
            found.append([waiting, reading])
            waiting = None
        else:
            unused["outlier"] += [waiting] if waiting else []
            waiting = reading
    unused["unconfirmed"] += [waiting] if waiting else []
    return found, unused


class Boundary:
    def __init__(self, number, segment, at):
        self.segment = number
        self.lo = max(x.value - growth(x.at + x.uncertainty - at) for x in segment)
        self.hi = min(x.value + x.resolution + growth(at - x.at + x.uncertainty) for x in segment)
        before = [x for x in segment if x.at <= at][-1]
        behind = next(x for x in segment if x.at >= at)
        self.value = min(max(self.between(before, behind, at), self.lo), self.hi)
        nearest = min((before, behind), key=lambda x: (abs(x.at - at) + x.uncertainty, x.resolution))
        self.near = abs(nearest.at - at) + nearest.uncertainty <= NEAR
        self.coarse = nearest.resolution > FINE
        self.corrected = nearest.corrected

    @staticmethod
    def between(before, behind, at):
        """By a constant power, half to even."""
        if before.at == behind.at:
            return before.value
        unit = min(before.resolution, behind.resolution)
        whole = behind.at - before.at
        product = before.value * whole + (behind.value - before.value) * (at - before.at)
        units, rest = divmod(product, whole * unit)
        twice = 2 * rest
        if twice > whole * unit or (twice == whole * unit and units % 2 == 1):
            units += 1
        return units * unit


def boundary(found, at):
    """The register there; or why there is none."""
    for number, segment in enumerate(found):
        if segment[0].at <= at <= segment[-1].at:
            return Boundary(number, segment, at)
    is_outside = at < found[0][0].at or at > found[-1][-1].at
    return "no_bracket" if is_outside else "register_reset"


def row(found, unused, slot):
    def within(reading):
        return slot <= reading.at < slot + QUARTER

    ends = [boundary(found, slot), boundary(found, slot + QUARTER)]
    known = [end for end in ends if isinstance(end, Boundary)]
    flags = {end for end in ends if isinstance(end, str)}
    flags |= {why for why, readings in unused.items() if any(map(within, readings))}
    used = [reading for segment in found for reading in segment if within(reading)]
    if not used:
        flags.add("no_reading")
    elif used[0].at - slot > NEAR:
        flags.add("late")
    if isinstance(ends[1], Boundary) and not ends[1].near:
        flags.add("end_open")
    flags |= {"clock_corrected" for end in known if end.corrected}
    flags |= {"coarse" for end in known if end.coarse}
    energy = lo = hi = "-"
    quality = "missing"
    if len(known) == 2 and known[0].segment != known[1].segment:
        flags.add("register_reset")
    elif len(known) == 2:
        start, end = known
        lo, hi = max(0, end.lo - start.hi), end.hi - start.lo
        if all(one.near and not one.coarse for one in known):
            energy, quality = end.value - start.value, "measured"
    return slot, energy, lo, hi, quality, ",".join(flag for flag in FLAGS if flag in flags)


def main():
    readings = [Reading(line) for line in sys.stdin if line.strip()]
    found, unused = segments(readings)
    for slot in range(readings[0].at // QUARTER * QUARTER, readings[-1].at + 1, QUARTER):
        print(*row(found, unused, slot))


main()
