# Gemeinsames der Seiten für Forschende und Administration
cloud-brand = Stromzähler-Erhebung
cloud-privacy-title = Datenschutz
cloud-accessibility-title = Barrierefreiheit

# Anmelden
cloud-sign-in-title = Anmelden
cloud-sign-in-what = Diese Seiten sind für die Forschungsgruppe: für Forschende, die Haushalte registrieren, und für die Administration, die Messgeräte betreut.
cloud-group = Ich gehöre zu
cloud-researchers = den Forschenden
cloud-administrators = der Administration
cloud-secret = Gemeinsames Geheimnis der Gruppe
cloud-initials = Ihr Kürzel (freiwillig)
cloud-initials-hint = Höchstens 16 Zeichen. Das Kürzel steht im Verlauf bei dem, was Sie ändern.
cloud-sign-in = Anmelden
cloud-secret-wrong = Das Geheimnis ist falsch. Nach mehreren falschen wird eine Weile keines angenommen.
cloud-wait-seconds = { $count ->
    [one] Zu viele falsche Geheimnisse kamen von hier. In { $count } Sekunde geht es weiter.
   *[other] Zu viele falsche Geheimnisse kamen von hier. In { $count } Sekunden geht es weiter.
}
cloud-wait-until = Zu viele falsche Geheimnisse kamen von hier. Um { $time } Uhr geht es weiter.
cloud-sign-in-unavailable = Gerade kann sich niemand anmelden. Bitte versuchen Sie es in einer Minute noch einmal.
cloud-session-ended = Ihre Sitzung ist zu Ende. Bitte melden Sie sich noch einmal an.
cloud-session-ended-draft = Ihre Sitzung ist zu Ende, und nichts wurde gespeichert. Melden Sie sich noch einmal an: Was Sie eingegeben haben, bleibt erhalten.
cloud-session-ended-long = Ihre Sitzung ist zu Ende, und nichts wurde gespeichert. Was Sie gesendet haben, ist zu lang, um es bis nach der Anmeldung zu behalten: Melden Sie sich noch einmal an, und senden Sie es danach noch einmal.
cloud-cookies-off = Ihr Browser hat das Cookie der Sitzung nicht behalten. Ohne das Cookie können Sie sich nicht anmelden: Bitte erlauben Sie es für diese Adresse.
cloud-signed-out = Sie sind abgemeldet.
cloud-draft-title = Ihre Eingaben sind noch da
cloud-draft = Sie sind wieder angemeldet. Gespeichert ist noch nichts: Senden Sie das Formular noch einmal ab.
cloud-draft-send = Eingaben absenden
cloud-link-title = Anmelden mit einem Link
cloud-link-what = Mit diesem Link können Sie sich ein einziges Mal anmelden.
cloud-link-used = Dieser Link ist benutzt, abgelaufen oder unbekannt. Lassen Sie sich einen neuen geben, oder melden Sie sich mit dem Geheimnis Ihrer Gruppe an.
cloud-again-title = Einen Augenblick
cloud-again = Die Seite wird noch einmal geladen, damit Ihr Browser zeigen kann, dass Sie angemeldet sind.
cloud-again-link = Seite laden

# Was schiefging
cloud-to-start = Zur ersten Seite
cloud-request-id = Kennung dieser Anfrage, für Rückfragen:
cloud-nothing-changed = Es wurde nichts geändert.
cloud-perhaps-changed = Ob etwas geändert wurde, ist nicht bekannt.
cloud-not-found-title = Nicht gefunden
cloud-not-found = Diese Seite gibt es nicht, oder das, was sie zeigen soll, gibt es nicht mehr.
cloud-not-found-remedy = Prüfen Sie die Adresse, oder suchen Sie von der ersten Seite aus.
cloud-form-refused-title = Nicht angenommen
cloud-form-refused = Das Formular kam nicht von einer Seite Ihrer Sitzung.
cloud-form-refused-remedy = Laden Sie die Seite neu und senden Sie das Formular noch einmal ab.
cloud-too-long-title = Zu lang
cloud-too-long = Das Formular oder die Datei ist zu lang.
cloud-too-long-remedy = Kürzen Sie, was Sie senden, oder teilen Sie es auf.
cloud-busy = Mehrere lange Formulare von Menschen, die nicht angemeldet sind, werden gerade gelesen.
cloud-busy-remedy = Senden Sie das Formular in einigen Sekunden noch einmal ab: Gehen Sie dazu im Browser zurück.
cloud-other-group-title = Für eine andere Gruppe
cloud-for-researchers = Diese Seite ist für Forschende.
cloud-for-administrators = Diese Seite ist für die Administration.
cloud-other-group-remedy = Melden Sie sich ab und mit dem Geheimnis der anderen Gruppe wieder an.
cloud-revoked-title = Einwilligung widerrufen
cloud-revoked = Der Haushalt hat seine Einwilligung widerrufen. Name, Adresse und Nachrichten sind gelöscht.
cloud-revoked-remedy = An diesem Haushalt kann nichts mehr geändert werden.
cloud-changed-title = Inzwischen geändert
cloud-changed = Jemand anderes hat dasselbe geändert, seit Sie die Seite geöffnet haben.
cloud-changed-remedy = Laden Sie die Seite neu und sehen Sie nach, was jetzt gilt.
cloud-in-use-title = Das geht jetzt nicht
cloud-in-use = Der Zustand erlaubt das nicht: Es wird gebraucht, ist schon erledigt oder hat noch nicht begonnen.
cloud-in-use-remedy = Laden Sie die Seite neu und sehen Sie nach, was jetzt gilt.
cloud-unavailable-title = Gerade nicht möglich
cloud-unavailable = Die Datenbank antwortet gerade nicht.
cloud-unavailable-remedy = Versuchen Sie es in einer Minute noch einmal. Messgeräte messen solange weiter.
cloud-failed-title = Fehler
cloud-failed = Der Server konnte das nicht tun.
cloud-failed-remedy = Versuchen Sie es noch einmal. Wenn es wieder geschieht, geben Sie der Administration die Kennung dieser Anfrage.
cloud-request-refused = Die Anfrage wurde nicht angenommen, oder sie dauerte zu lange.
cloud-wrong-address = Unter diesem Namen gibt es hier keine Seite. Richtig sind: { $names }

# Dokumente
cloud-privacy = ## Was diese Seiten speichern

    Wer angemeldet ist, wird an einem Cookie erkannt, das mit dem Abmelden, nach 30 Minuten ohne Benutzung oder nach 10 Stunden endet. Sprache und Darstellung merkt sich Ihr Browser ein Jahr lang in je einem Cookie. Andere Cookies gibt es nicht, und nichts wird von anderen Rechnern geladen.

    Der Server merkt sich zu jeder Sitzung die Gruppe, das Kürzel, die Art des Browsers, den Beginn und die letzte Benutzung. Die Administration sieht das und kann Sitzungen beenden. Änderungen an einem Haushalt stehen mit Zeit, Gruppe und Kürzel in dessen Verlauf.

    ## Daten der Haushalte

    Was über Haushalte gespeichert wird und was ein Widerruf löscht, steht in der Information für Teilnehmende.
cloud-accessibility = Diese Seiten sollen die Web Content Accessibility Guidelines 2.2 (Stufe AA) erfüllen. Alles geht mit der Tastatur und ohne JavaScript.

    Stoßen Sie auf ein Hindernis, sagen Sie es bitte der Forschungsgruppe.

# Warum ein Auftrag scheiterte
cloud-job-other = Der Server nennt einen Grund auf Englisch: { $text }
cloud-job-lines-refused = { $refused } von { $count ->
    [one] einer Zeile
   *[other] { $count } Zeilen
} kann nicht gespeichert werden. Es wurde nichts gespeichert.
cloud-job-line-refused = Zeile { $line } kann nicht gespeichert werden: Inzwischen wurde etwas anderes eingetragen. Es wurde nichts gespeichert.
cloud-job-too-long = { $count ->
    [one] Er hat länger als eine Minute gedauert.
   *[other] Er hat länger als { $count } Minuten gedauert.
}
cloud-job-panicked = Das Programm hat einen Fehler.
cloud-job-stopped = Er wurde angehalten.
cloud-job-workers-lost = Die Server, die ihn ausführten, sind zu oft ausgefallen.
cloud-job-input = Er wurde von einer anderen Version des Programms angelegt, die diese nicht lesen kann.
cloud-job-no-regions = Der Server hat keine Geodaten für die Schätzung.
cloud-job-no-files = Der Server kann die Dateien des Exports nicht schreiben.
cloud-job-no-household = Kein Haushalt hatte bis dahin seine Einwilligung erteilt.
cloud-job-gone = Was exportiert wurde, gibt es nicht mehr.
cloud-job-erased = Ein Haushalt darin hat seine Einwilligung widerrufen oder wurde entfernt.
cloud-job-database = Die Datenbank ist nicht erreichbar oder ausgelastet.
