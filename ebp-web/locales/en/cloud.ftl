# What the pages of researchers and administrators share
cloud-brand = Electricity meter survey
cloud-privacy-title = Privacy
cloud-accessibility-title = Accessibility

# Signing in
cloud-sign-in-title = Sign in
cloud-sign-in-what = These pages are for the research group: for researchers, who register households, and for administrators, who look after measurement devices.
cloud-group = I am one of
cloud-researchers = the researchers
cloud-administrators = the administrators
cloud-secret = The group’s shared secret
cloud-initials = Your initials (optional)
cloud-initials-hint = At most 16 characters. They stand in the history beside what you change.
cloud-sign-in = Sign in
cloud-secret-wrong = The secret is wrong. After several wrong ones none is accepted for a while.
cloud-wait-seconds = { $count ->
    [one] Too many wrong secrets came from here. Try again in { $count } second.
   *[other] Too many wrong secrets came from here. Try again in { $count } seconds.
}
cloud-wait-until = Too many wrong secrets came from here. Try again at { $time }.
cloud-sign-in-unavailable = Nobody can sign in at the moment. Please try again in a minute.
cloud-session-ended = Your session has ended. Please sign in again.
cloud-session-ended-draft = Your session has ended, and nothing was saved. Sign in again: what you entered is kept.
cloud-session-ended-long = Your session has ended, and nothing was saved. What you sent is too long to be kept until you have signed in: sign in again, and send it once more afterwards.
cloud-cookies-off = Your browser did not keep the session’s cookie. You cannot sign in without it: please allow it for this address.
cloud-signed-out = You are signed out.
cloud-draft-title = What you entered is still here
cloud-draft = You are signed in again. Nothing is saved yet: send the form once more.
cloud-draft-send = Send what was entered
cloud-link-title = Sign in by a link
cloud-link-what = By this link you can sign in once.
cloud-link-used = This link is used, expired or unknown. Ask for another one, or sign in by your group’s secret.
cloud-again-title = One moment
cloud-again = The page is loaded once more, so that your browser can show that you are signed in.
cloud-again-link = Load the page

# What went wrong
cloud-to-start = To the first page
cloud-request-id = Identifier of this request, in case you ask about it:
cloud-nothing-changed = Nothing was changed.
cloud-perhaps-changed = It is not known whether anything was changed.
cloud-not-found-title = Not found
cloud-not-found = There is no such page, or what it should show is gone.
cloud-not-found-remedy = Check the address, or search from the first page.
cloud-form-refused-title = Not accepted
cloud-form-refused = The form did not come from a page of your session.
cloud-form-refused-remedy = Reload the page and send the form again.
cloud-too-long-title = Too long
cloud-too-long = The form or file is too long.
cloud-too-long-remedy = Shorten what you send, or split it.
cloud-busy = Several long forms of people who are not signed in are being read.
cloud-busy-remedy = Send the form again in a few seconds: go back in the browser.
cloud-other-group-title = For another group
cloud-for-researchers = This page is for researchers.
cloud-for-administrators = This page is for administrators.
cloud-other-group-remedy = Sign out, and sign in again by the other group’s secret.
cloud-revoked-title = Consent revoked
cloud-revoked = The household has revoked its consent. Name, address and messages are deleted.
cloud-revoked-remedy = Nothing of this household can be changed any more.
cloud-changed-title = Changed meanwhile
cloud-changed = Somebody else changed the same since you opened the page.
cloud-changed-remedy = Reload the page and look what holds now.
cloud-in-use-title = Not possible now
cloud-in-use = The state does not permit it: it is needed, was done before, or has not begun.
cloud-in-use-remedy = Reload the page and look what holds now.
cloud-unavailable-title = Not possible at the moment
cloud-unavailable = The database does not answer at the moment.
cloud-unavailable-remedy = Try again in a minute. Devices go on measuring meanwhile.
cloud-failed-title = Error
cloud-failed = The server could not do that.
cloud-failed-remedy = Try again. If it happens again, tell the administrators the identifier of this request.
cloud-request-refused = The request was not accepted, or took too long.
cloud-wrong-address = There is no page by this name here. The right ones are: { $names }

# Documents
cloud-privacy = ## What these pages store

    Whoever is signed in is known by a cookie, which ends with signing out, after 30 minutes without use, or after 10 hours. Your browser keeps the language and the theme for a year, in a cookie each. There are no other cookies, and nothing is loaded from other hosts.

    Of each session the server stores the group, the initials, the kind of browser, its beginning and its last use. Administrators see that and can end sessions. Changes of a household are in its history with time, group and initials.

    ## Households’ data

    What is stored about households, and what a revocation deletes, is in the information for participants.
cloud-accessibility = These pages are meant to meet the Web Content Accessibility Guidelines 2.2 (level AA). Everything works by keyboard and without JavaScript.

    If something is in your way, please tell the research group.

# Why a job failed
cloud-job-other = The server says in English: { $text }
cloud-job-lines-refused = { $refused } of { $count ->
    [one] one line
   *[other] { $count } lines
} cannot be stored. Nothing was stored.
cloud-job-line-refused = Line { $line } cannot be stored: something else was registered meanwhile. Nothing was stored.
cloud-job-too-long = { $count ->
    [one] It took longer than a minute.
   *[other] It took longer than { $count } minutes.
}
cloud-job-panicked = The program has a fault.
cloud-job-stopped = It was stopped.
cloud-job-workers-lost = The servers that were at it failed too often.
cloud-job-input = It was made by another version of the program, which this one cannot read.
cloud-job-no-regions = The server has no geodata to estimate by.
cloud-job-no-files = The server cannot write the files of the export.
cloud-job-no-household = No household had granted its consent by then.
cloud-job-gone = What was exported is not there any more.
cloud-job-erased = A household in it withdrew its consent or was removed.
cloud-job-database = The database cannot be reached or is busy.
