# Report on a survey
report-title = Report on the survey
report-window = { $meters ->
    [one] { $meters } meter
   *[other] { $meters } meters
} from { $from } to { $to }, measured every { $measured }, reported every { $reported }.
report-withheld = { $count ->
    [one] { $count } household is withheld: its meters are counted, and not named.
   *[other] { $count } households are withheld: their meters are counted, and not named.
}
report-of = { $reached } of { $expected }
report-overall = Targets
report-measurement-target = Measurement target
report-report-target = Report target
report-missed = Missing measurements
report-doubled = Double measurements
report-coverage = Coverage
report-coverage-text = A row for each meter, a column for each day (UTC).
report-coverage-table = Meters and their targets
report-day-full = complete
report-day-most = at least 95 %
report-day-part = less
report-day-nothing = nothing
report-day-none = nothing expected
report-number = No.
report-meter = Meter
report-meter-withheld = withheld
report-model = Model
report-days-full = Complete days
report-days-expected = Expected days
report-profiles = Profiles of the day
report-energy-households = { $count ->
    [one] { $count } household.
   *[other] { $count } households.
}
report-profile-text = Means of the households for each hour (local time): load upwards, feed-in downwards, generation as a line.
report-profile-gap = no measurement
report-profile-workday = Monday to Friday
report-profile-weekend = Saturday and Sunday
report-profile-winter = Winter (December to February)
report-profile-spring = Spring (March to May)
report-profile-summer = Summer (June to August)
report-profile-autumn = Autumn (September to November)
report-hour = Hour
report-load = Load
report-feed-in = Feed-in
report-generation = Generation
report-distributions = Autarky and self-consumption
report-distribution-text = How many households have which share, over all days of which at least 95 % are measured.
report-autarky = Autarky
report-self-consumption = Share of self-consumption
report-median = Median: { $median }
report-class = Share
report-households = Households
report-map = Masked locations
report-map-text = Households that revoked their consent, at their masked locations.
report-map-table = Households by region
report-region = Region
report-outside = in no region
