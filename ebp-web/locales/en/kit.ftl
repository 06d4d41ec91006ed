# Weekdays and months
monday = Monday
tuesday = Tuesday
wednesday = Wednesday
thursday = Thursday
friday = Friday
saturday = Saturday
sunday = Sunday
january = January
february = February
march = March
april = April
may = May
june = June
july = July
august = August
september = September
october = October
november = November
december = December
day-and-time = { $day }, { $time }
just-now = just now
minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
days-ago = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}

# The frame of every page
skip = Skip to content
menu = Pages
language-switch = Language
theme-switch = Appearance
theme-system = like the system
theme-light = light
theme-dark = dark
sign-out = Sign out
back = Back
details = Details
