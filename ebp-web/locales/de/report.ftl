# Bericht über eine Erhebung
report-title = Bericht über die Erhebung
report-window = { $meters ->
    [one] { $meters } Zähler
   *[other] { $meters } Zähler
} von { $from } bis { $to }, gemessen alle { $measured }, übertragen alle { $reported }.
report-withheld = { $count ->
    [one] { $count } Haushalt wird zurückgehalten: Seine Zähler werden gezählt und nicht genannt.
   *[other] { $count } Haushalte werden zurückgehalten: Ihre Zähler werden gezählt und nicht genannt.
}
report-of = { $reached } von { $expected }
report-overall = Ziele
report-measurement-target = Messziel
report-report-target = Berichtsziel
report-missed = Fehlende Messungen
report-doubled = Doppelte Messungen
report-coverage = Abdeckung
report-coverage-text = Eine Zeile je Zähler, eine Spalte je Tag (UTC).
report-coverage-table = Zähler und ihre Ziele
report-day-full = vollständig
report-day-most = mindestens 95 %
report-day-part = weniger
report-day-nothing = nichts
report-day-none = nichts erwartet
report-number = Nr.
report-meter = Zähler
report-meter-withheld = zurückgehalten
report-model = Modell
report-days-full = Vollständige Tage
report-days-expected = Erwartete Tage
report-profiles = Tagesgänge
report-energy-households = { $count ->
    [one] { $count } Haushalt.
   *[other] { $count } Haushalte.
}
report-profile-text = Mittelwerte der Haushalte je Stunde (Ortszeit): nach oben die Last, nach unten die Einspeisung, als Linie die Erzeugung.
report-profile-gap = keine Messung
report-profile-workday = Montag bis Freitag
report-profile-weekend = Samstag und Sonntag
report-profile-winter = Winter (Dezember bis Februar)
report-profile-spring = Frühling (März bis Mai)
report-profile-summer = Sommer (Juni bis August)
report-profile-autumn = Herbst (September bis November)
report-hour = Stunde
report-load = Last
report-feed-in = Einspeisung
report-generation = Erzeugung
report-distributions = Autarkie und Eigenverbrauch
report-distribution-text = Wie viele Haushalte welchen Anteil haben, über alle Tage, die zu mindestens 95 % gemessen sind.
report-autarky = Autarkiegrad
report-self-consumption = Eigenverbrauchsanteil
report-median = Median: { $median }
report-class = Anteil
report-households = Haushalte
report-map = Maskierte Standorte
report-map-text = Haushalte, die ihre Einwilligung widerrufen haben, an ihren maskierten Standorten.
report-map-table = Haushalte nach Regionen
report-region = Region
report-outside = in keiner Region
