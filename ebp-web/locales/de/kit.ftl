# Wochentage und Monate
monday = Montag
tuesday = Dienstag
wednesday = Mittwoch
thursday = Donnerstag
friday = Freitag
saturday = Samstag
sunday = Sonntag
january = Januar
february = Februar
march = März
april = April
may = Mai
june = Juni
july = Juli
august = August
september = September
october = Oktober
november = November
december = Dezember
day-and-time = { $day }, { $time }
just-now = gerade eben
minutes-ago = { $count ->
    [one] vor { $count } Minute
   *[other] vor { $count } Minuten
}
hours-ago = { $count ->
    [one] vor { $count } Stunde
   *[other] vor { $count } Stunden
}
days-ago = { $count ->
    [one] vor { $count } Tag
   *[other] vor { $count } Tagen
}

# Rahmen jeder Seite
skip = Zum Inhalt springen
menu = Seiten
language-switch = Sprache
theme-switch = Darstellung
theme-system = wie das System
theme-light = hell
theme-dark = dunkel
sign-out = Abmelden
back = Zurück
details = Einzelheiten
