"""Quarter hours of a register by the rules as they are written, in plain integers.

Written apart from the crate and for reading: each boundary looks at all readings of its segment, at
those whose instants may lie on either side of it one by one, and at the others by their extremes. Lines of standard input are `MICROSECONDS KWH [SECONDS]`: when, what the register shows
with its decimals, and by how many seconds the instant may be off. Lines of standard output are
`SLOT ENERGY LO HI QUALITY FLAGS`, energies in 10^-8 kWh, `-` for what is not known.
"""

import sys
from bisect import bisect_left, bisect_right
from itertools import accumulate

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
        # Of another meter than the first one in its place; each reading says so.
        self.another = False


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
        elif reading.another != found[-1][-1].another:
            unused["outlier"] += [waiting] if waiting else []
            found.append([reading])
            waiting = None
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
    return [Segment(readings) for readings in found], unused


class Segment:
    """Readings of one continuous register, with the extremes of those before and behind each."""

    def __init__(self, readings):
        self.readings = readings
        self.instants = [x.at for x in readings]
        self.most = max(x.uncertainty for x in readings)
        # What each says of a boundary at 0, times an hour: others differ from it by power and time.
        low = [x.value * HOUR - POWER * (x.at + x.uncertainty) for x in readings]
        high = [(x.value + x.resolution) * HOUR - POWER * (x.at - x.uncertainty) for x in readings]
        self.lo_before = list(accumulate((x.value for x in readings), max))
        self.hi_before = list(accumulate(high, min))
        self.lo_behind = list(accumulate(reversed(low), max))[::-1]
        shown = (x.value + x.resolution for x in reversed(readings))
        self.hi_behind = list(accumulate(shown, min))[::-1]

    def bounds(self, at):
        first = bisect_right(self.instants, at - self.most - 1)
        last = bisect_left(self.instants, at + self.most + 1)
        around = self.readings[first:last]
        lo = [x.value - growth(x.at + x.uncertainty - at) for x in around]
        hi = [x.value + x.resolution + growth(at - x.at + x.uncertainty) for x in around]
        if first > 0:
            lo.append(self.lo_before[first - 1])
            hi.append(-(-(self.hi_before[first - 1] + POWER * at) // HOUR))
        if last < len(self.readings):
            lo.append((self.lo_behind[last] + POWER * at) // HOUR)
            hi.append(self.hi_behind[last])
        return max(lo), min(hi)

    def within(self, slot):
        ends = (bisect_left(self.instants, end) for end in (slot, slot + QUARTER))
        return self.readings[slice(*ends)]

    def neighbours(self, at):
        before = self.readings[bisect_right(self.instants, at) - 1]
        return before, self.readings[bisect_left(self.instants, at)]


class Boundary:
    def __init__(self, number, segment, at):
        self.segment = number
        self.lo, self.hi = segment.bounds(at)
        before, behind = segment.neighbours(at)
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
        if segment.instants[0] <= at <= segment.instants[-1]:
            return Boundary(number, segment, at)
    is_outside = at < found[0].instants[0] or at > found[-1].instants[-1]
    return "no_bracket" if is_outside else "register_reset"


def row(found, unused, slot):
    def within(reading):
        return slot <= reading.at < slot + QUARTER

    ends = [boundary(found, slot), boundary(found, slot + QUARTER)]
    known = [end for end in ends if isinstance(end, Boundary)]
    flags = {end for end in ends if isinstance(end, str)}
    flags |= {why for why, readings in unused.items() if any(map(within, readings))}
    used = [reading for segment in found for reading in segment.within(slot)]
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


if __name__ == "__main__":
    main()
