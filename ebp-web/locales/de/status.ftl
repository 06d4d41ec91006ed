# Seiten der Administratoren
status-menu-overview = Geräte
status-menu-alerts = Alarme
status-menu-rollout = Ausrollen
status-menu-server = Server
to-overview = Zu allen Geräten
to-device = Zum Gerät
never = nie
status-meter = Zähler
status-grid = Netz
status-generation = Erzeugung

# Zustände der Geräte
fleet-all = Alle
fleet-speaks-on = Spricht nach dem Widerruf
fleet-never-spoke = Nie gemeldet
fleet-silent = Stumm
fleet-late = Verspätet
fleet-incident = Störung
fleet-damaged = Beschädigte Telegramme
fleet-clock = Uhr nicht gestellt
fleet-spool = Spool füllt sich
fleet-certificate = Zertifikat endet
fleet-version-behind = Ältere Version
fleet-healthy = In Ordnung
fleet-not-granted = Ohne Einwilligung
fleet-revoked = Widerrufen
why-silent = letzter Bericht { $ago }
why-late = letzter Messwert { $ago }
why-never-measured = ein Zähler wurde nie gemessen
why-damaged = { $share } eines Zählers
why-spool = { $count ->
    [one] { $count } Messwert wartet
   *[other] { $count } Messwerte warten
}
why-certificate = am { $time }
why-certificate-ended = endete am { $time }
incident-port = Lesekopf nicht erreichbar
incident-codes = Werte fehlen, vielleicht gesperrt
incident-another-meter = anderer Zähler
consent-is-not-granted = nicht erteilt
consent-is-granted = erteilt
consent-is-revoked = widerrufen
silenced = stummgeschaltet

# Übersicht
overview-title = Geräte
overview-attention = { $count ->
    [one] { $count } Gerät braucht Aufmerksamkeit.
   *[other] { $count } Geräte brauchen Aufmerksamkeit.
}
overview-all-healthy = Alle Geräte sind in Ordnung.
overview-none = Noch ist kein Gerät registriert.
overview-none-yet = Die Forschenden legen ein Gerät mit seinem Haushalt an. Danach erzeugen Sie hier ein Token, mit dem es eingerichtet wird.
overview-none-found = So ist kein Gerät.
overview-not-understood = Ein Teil der Adresse dieser Seite ist nicht verständlich und blieb weg.
overview-stale = Die Datenbank antwortet nicht. Das ist der Stand von { $time }, ohne die Namen der Teilnehmer; die Geräte messen weiter und behalten, was sie messen.
overview-not-renewed = Das ließ sich nicht aktualisieren: Der Server oder seine Datenbank antwortet nicht. Was oben steht, ist von der Zeit, die dabeisteht; die Geräte messen weiter und behalten, was sie messen.
overview-withheld = { $count ->
    [one] { $count } Haushalt hat widerrufen und wird zurückgehalten, bis sein Ort verschleiert werden kann.
   *[other] { $count } Haushalte haben widerrufen und werden zurückgehalten, bis ihre Orte verschleiert werden können.
}
overview-search = Name, Gerät oder Haushalt
overview-find = Zeigen
overview-clear = Alle zeigen
overview-any-version = jede Version
overview-states = Zustände
overview-devices = Geräte mit ihren Zuständen
overview-judged = Stand:
overview-refresh = Jetzt aktualisieren
overview-pause = Aktualisieren anhalten
overview-pages = Weitere Geräte
overview-first = Erste Seite
overview-next = Nächste Seite
column-device = Gerät
column-state = Zustand
column-participant = Teilnehmer, Haushalt
column-consent = Einwilligung
column-measured = Letzter Messwert
column-report = Letzter Bericht
column-version = Version
column-incidents = Störungen
column-damaged = Beschädigt
column-certificate = Zertifikat bis

# Ein Gerät
device-title = Gerät { $device }
device-identifier = Kennung
device-household = Haushalt
device-activity = Letzte Anfrage
device-is-revoked = Der Haushalt hat seine Einwilligung widerrufen. Das Gerät gehört zu niemandem mehr: Was es als Zustand gesendet hat, ist gelöscht, und es ist zurückzugeben.
device-never-spoke = Dieses Gerät hat nie einen Bericht gesendet. Erzeugen Sie ein Token und lassen Sie es damit einrichten; dann berichtet es innerhalb einer Stunde nach der Einwilligung.
silence-title = Stummschaltung
silence-what = Solange ein Gerät stummgeschaltet ist, wird seinetwegen niemand alarmiert.
silence-reason = Grund
silence-since = Seit
silence-until = Bis
silence-last-day = Letzter Tag (kann leer bleiben)
silence-holds = Gilt bis zu diesem Tag, auch wenn sich das Gerät vorher erholt
silence-begin = Stummschalten
silence-end = Stummschaltung beenden
silence-until-recovery = bis sich das Gerät erholt
silence-until-time = spätestens bis { $time }
silence-begun = Das Gerät ist stummgeschaltet.
silence-ended = Die Stummschaltung ist beendet.
silence-no-reason = Geben Sie in 1 bis 200 Zeichen an, warum das Gerät stummgeschaltet wird.
silence-no-end = Nennen Sie einen Tag ab heute, innerhalb von 400 Tagen, oder lassen Sie den Haken weg.
silence-gone = Das Gerät ist nicht mehr stummgeschaltet.
timeline-heading = Die letzten 30 Tage
timeline-title = Slots der letzten 30 Tage, { $meter }
timeline-text = Jede Zeile ist ein Tag, der jüngste unten, von Mitternacht links bis Mitternacht rechts. Jeder Zustand hat eine eigene Form; die Liste darunter enthält die Anzahlen.
timeline-list = Als Liste nach Tagen
timeline-day = Tag
timeline-none = Das Gerät liest keinen Zähler.
slot-measured = gemessen
slot-late = verspätet
slot-flagged = zweifelhaft
slot-waiting = wartend
slot-missing = fehlend
gaps-title = Lücken
gaps-none = Es fehlt nichts.
gaps-more = { $count ->
    [one] und { $count } frühere
   *[other] und { $count } frühere
}
gap-from = Von
gap-to = Bis
gap-slots = Slots
gap-kind = Zustand
incidents-title = Störungen
incidents-none = In 400 Tagen gab es keine.
incident-kind = Störung
incident-open = offen
past-title = Tag für Tag
past-none = Das Gerät hat noch keinen Zustand gesendet.
damaged-title = Beschädigte Telegramme je Tag, Prozent
damaged-text = Ein Balken für jeden Tag mit einem Bericht. Alle Werte stehen in der Tabelle darunter.
damaged-gap = keine Telegramme
health-title = Letzter Zustandsbericht
health-none = Das Gerät hat noch keinen Zustand gesendet.
health-reported = Gesendet
health-clock = Uhr
health-telegrams = Beschädigte von allen Telegrammen, Zähler { $meter }
health-notice = Hinweis
clock-synchronised = gestellt
clock-unsynchronised = nicht gestellt
spool-pending = Wartend
spool-refused = Zurückgewiesen
spool-unplaced = Ohne verlässliche Zeit
spool-size = Spool, kB
notice-set-aside = Ein Spool, der sich nicht öffnen ließ, wurde beiseitegelegt.
notice-full = Der Spool ist voll: Es wird nichts mehr gemessen.
notice-damaged = Der Spool hat Zeilen, die sich nicht lesen lassen.
component = Komponente
component-since = Seit
certificates-title = Zertifikate
certificates-none = Noch wurde keines ausgestellt.
certificates-revoked = Mit dem Widerruf seines Haushalts wurden seine Zertifikate gesperrt. Sie stehen in der Liste aller Zertifikate (ebp ca list).
certificate-serial = Seriennummer
certificate-scopes = Erlaubt
certificate-until = Gültig bis
certificate-state = Zustand
certificate-revoked = gesperrt
certificate-ended = abgelaufen
certificate-revoke = Sperren
certificate-revoke-all = Alle Zertifikate sperren
certificate-revoke-title = Ein Zertifikat sperren
certificate-revoke-all-title = Alle Zertifikate sperren
certificate-revoke-what = Das Zertifikat { $serial } wird ab der nächsten Anfrage von jedem Server abgewiesen.
certificate-revoke-all-what = Alle Zertifikate dieses Geräts werden ab der nächsten Anfrage von jedem Server abgewiesen, und seine Token sind ungültig.
certificate-revoke-final = Das lässt sich nicht rückgängig machen. Um wieder zu senden, muss das Gerät mit einem neuen Token eingerichtet werden. Was es gemessen hat, bleibt auf ihm.
certificate-is-revoked = Das Zertifikat ist gesperrt.
certificates-are-revoked = { $count ->
    [0] Es war kein Zertifikat mehr gültig.
    [one] { $count } Zertifikat ist gesperrt.
   *[other] { $count } Zertifikate sind gesperrt.
}
token-heading = Einrichten
token-what = Mit einem Token wird das Gerät einmal eingerichtet, innerhalb von 72 Stunden. Ein früheres, das nicht benutzt wurde, wird ungültig.
token-make = Token erzeugen
token-title = Token für das Gerät
token-once = Das wird nur einmal gezeigt. Wer das Token hat, kann das Gerät einrichten.
token = Token
token-code = Zugangscode der Seite des Geräts
token-until = Gültig bis
token-how = Auf dem Gerät: ebp device enroll, mit diesem Token. Der Code ist für das Blatt des Teilnehmers und gilt, sobald das Gerät eingerichtet ist.
tunnel-title = Fernzugriff
tunnel-none = Dieses Gerät hatte nie einen Tunnel.
tunnel-revoked = Ob es einen Tunnel hatte, ist nicht mehr bekannt: Das wurde mit dem Widerruf gelöscht.
tunnel-state = Tunnel
tunnel-connected = verbunden
tunnel-away = nicht verbunden
tunnel-since = Verbunden seit
tunnel-seen = Zuletzt gesehen
tunnel-session-ends = Die Sitzung wird beendet: Der Server, der sie trägt, tut es innerhalb einer Sekunde.
tunnel-copied = Zwei Prozesse benutzten sein Zertifikat abwechselnd: Es wurde kopiert
sessions-title = Sitzungen
session-who = Wer
session-service = Dienst
session-open = offen
session-closed = beendet
session-broken = abgebrochen
session-idle = zu lange untätig
session-too-long = zu lang
session-revoked = Zertifikat gesperrt
session-stopped = Server beendet
updates-place = Welche Version die Geräte nehmen: Ausrollen

# Alarme
alerts-title = Alarme
alerts-off = Dieser Server überwacht keine Geräte: Seine Konfiguration hat keine Tabelle [alerts].
alerts-failing = Nachrichten per { $channel } schlagen fehl: { $error }
alerts-now = Zurzeit nicht in Ordnung
alerts-none-open = Nach diesen Regeln ist alles in Ordnung.
alerts-pending = { $count ->
    [one] { $count } Nachricht wartet auf den Versand.
   *[other] { $count } Nachrichten warten auf den Versand.
}
alert-silent = Stummes Gerät
alert-late = Verspätete Messwerte
alert-incident = Offene Störung
alert-certificate = Zertifikat endet
alert-damaged = Beschädigte Telegramme
alert-copied-certificate = Zertifikat von zwei Prozessen benutzt
alert-new-error = Neuer Fehler
alert-over = vorbei: { $kind }
rules-title = Regeln
rule-off = nicht benutzt
rule-silent = kein Bericht seit { $length }
rule-late = kein Messwert eines Zählers seit { $length }
rule-incident = offen seit { $length }
rule-certificate = endet innerhalb von { $length }
rule-damaged = { $percent } % und mehr
rule-copied-certificate = sobald zwei Prozesse es benutzen, immer
rule-new-error = sobald ein Gerät einen Fehler hat, den vorher kein Gerät hatte, immer
length-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
length-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
length-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
length-days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tagen
}
quiet-none = Nachrichten werden zu jeder Zeit gesendet.
quiet-hours = Von { $from } bis { $to } wird nichts gesendet; was sich geändert hat, wird um { $digest } gemeldet ({ $zone }).
alerts-heartbeat = Ein Wächter anderswo wird angerufen, solange Geräte überwacht werden.
alerts-no-heartbeat = Es wird kein Wächter angerufen: Niemand merkt, wenn die Überwachung selbst aufhört.
rules-change = Regeln ändern
rules-change-title = Regeln der Alarme
rules-empty = Ein leeres Feld schaltet eine Regel ab. Die Regeln gelten für alle Server der Datenbank.
rules-silent = So viele Minuten kein Bericht
rules-late = So viele Minuten kein Messwert eines Zählers
rules-incident = So viele Minuten ist eine Störung offen
rules-certificate = In so vielen Tagen endet ein Zertifikat
rules-damaged = So viel Prozent der Telegramme eines Zählers sind beschädigt
rules-quiet = Ruhezeit
rules-digest = Was sich geändert hat, wird gemeldet um
rules-save = Speichern
rules-saved = Die Regeln sind geändert; sie gelten ab dem nächsten Blick auf die Geräte.
rules-others = Wie jemand anderes die Regeln inzwischen geändert hat
rules-changed = Jemand anderes hat die Regeln geändert, seit Sie diese Seite geöffnet haben. Sie stehen unten; wenn Sie jetzt speichern, ersetzen Ihre sie.
rules-fault-length = Zwischen 1 Minute und 366 Tagen: { $field }
rules-fault-damaged = Zwischen 1 und 100, als ganze Zahl: { $field }
rules-fault-quiet = Eine Ruhezeit braucht zwei verschiedene Zeiten, und die Zusammenfassung eine außerhalb davon.
rule-history-title = Änderungen der Regeln
rule-history-none = Es gelten die Regeln der Konfiguration.
rule-history = Version { $version }, { $time }
channels-title = Wege
channels-none = Es ist kein Weg eingerichtet, Nachrichten zu senden.
channel-webhook = Webhook
channel-mail = E-Mail
delivery = { $count ->
    [one] { $channel }: { $state }, { $count } Versuch
   *[other] { $channel }: { $state }, { $count } Versuche
}
delivery-none = noch nichts gesendet
delivery-pending = wartend
delivery-sent = gesendet
delivery-given-up = aufgegeben
delivery-dropped = entfallen, ihre Haushalte haben widerrufen
alerts-test = Probe senden
alerts-test-sent = Eine Probe ist angelegt; sie wird bald gesendet, auch in Ruhezeiten.
log-title = Nachrichten
log-none = Noch wurde keine Nachricht gesendet.
log-pages = Weitere Nachrichten
log-latest = Jüngste Nachrichten
log-older = Ältere Nachrichten
message-changes = Änderungen
message-digest = Zusammenfassung der Ruhezeit
message-test = Probe
alerts-began = { $count ->
    [one] { $count } begonnen
   *[other] { $count } begonnen
}
alerts-ended = { $count ->
    [one] { $count } beendet
   *[other] { $count } beendet
}
alerts-more = { $count ->
    [one] und { $count } weitere
   *[other] und { $count } weitere
}

# Server
server-title = Server
server-ready-title = Zustand
server-ready = Der Server antwortet.
server-not-ready = Der Server antwortet nicht:
server-took = { $count ->
    [one] Die Datenbank brauchte { $count } Millisekunde.
   *[other] Die Datenbank brauchte { $count } Millisekunden.
}
server-version = Version
server-away = Die Datenbank antwortet nicht innerhalb von fünf Sekunden.
figures-title = Zahlen
figures-none = Die Datenbank antwortet nicht.
figures-devices = Geräte: { $active } haben kürzlich berichtet, { $silent } nicht, { $never } noch nie; { $revoked ->
    [one] { $revoked } ist von einem Haushalt, der widerrufen hat.
   *[other] { $revoked } sind von Haushalten, die widerrufen haben.
}
figures-alerts = Alarme: { $open } offen, { $pending ->
    [one] { $pending } Nachricht wartend.
   *[other] { $pending } Nachrichten wartend.
}
figures-jobs = Aufträge: { $waiting } wartend, { $running } laufend, { $failed } fehlgeschlagen.
figures-pool = Verbindungen zur Datenbank: { $used } von { $most } benutzt, { $waiting ->
    [one] { $waiting } Anfrage wartet auf eine.
   *[other] { $waiting } Anfragen warten auf eine.
}
backups-title = Sicherungen
backup-unknown = Wo Sicherungen liegen, ist nicht eingestellt; deshalb ist ihr Alter hier nicht bekannt.
backup-missing = Im eingestellten Ordner ist keine Sicherung.
backup-newest = Die jüngste Sicherung entstand { $ago }.
errors-title = Fehler dieses Servers
errors-none = Es ist kein Fehler aufgetreten.
errors-new = In den letzten 24 Stunden ist ein Fehler aufgetreten, den es vorher nicht gab.
error-types = Art
error-place = Stelle im Quelltext
error-component = Teil
error-count = Anzahl
error-first = Zum ersten Mal
error-last = Zuletzt
error-is-new = (neu)
device-errors-title = Fehler der Geräte
device-errors-none = Kein Gerät hat einen Fehler gemeldet.
device-errors-new = In den letzten 24 Stunden hat ein Gerät einen Fehler gemeldet, den vorher kein Gerät hatte.
error-devices = Geräte
error-versions = Versionen
jobs-title = Aufträge
jobs-none = Es gibt keinen Auftrag.
jobs-older = Ältere Aufträge
job = Auftrag
job-kind = Was
job-group = Gruppe
job-asked = Verlangt
job-ended = Beendet
job-may = Ändern
job-risk-report = Risikobericht
job-household-import = Import von Haushalten
job-export = Datensatz
job-waiting = wartend
job-running = läuft
job-succeeded = fertig
job-failed = fehlgeschlagen
job-cancelled = abgebrochen
job-cancel = Abbrechen
job-retry = Wiederholen
job-is-cancelled = Der Auftrag ist abgebrochen oder endet in einigen Sekunden.
job-is-retried = Der Auftrag beginnt von Neuem.
job-not-so = Der Auftrag ist inzwischen in einem anderen Zustand.
group-researchers = Forschende
group-administrators = Administratoren
sessions-heading = Angemeldet
session-label = Name
session-browser = Browser
session-began = Seit
session-seen = Zuletzt gesehen
session-own = (diese Sitzung)
session-end = Beenden
session-end-title = Eine Sitzung beenden
session-end-what = Wer diese Sitzung hat, muss sich neu anmelden.
session-is-ended = Die Sitzung ist beendet.

# Das Ausrollen einer Version
rollout-title = Ausrollen
rollout-now = Diese Version wird ausgerollt
rollout-none = Es wurde noch nie eine Version ausgerollt: Jedes Gerät nimmt die neueste, die unterschrieben ist.
rollout-version = Version
rollout-state = Stand
rollout-step = Schritt
rollout-since = In diesem Schritt seit
rollout-step-first = { $step } von { $steps }: die genannten Geräte
rollout-step-share = { $step } von { $steps }: bis { $share } % aller Geräte
rollout-running = läuft
rollout-halted = angehalten
rollout-finished = abgeschlossen
rollout-ended = beendet
rollout-halt-failures = angehalten, weil zu viele Geräte die Version nicht behielten
rollout-halt-silence = angehalten, weil ein Gerät des ersten Schritts schweigt
rollout-halt-administrator = angehalten von einem Administrator
rollout-is-halted = Die Version wird keinem weiteren Gerät angeboten, bis jemand fortfährt.
rollout-devices = Geräte
rollout-device-failed = hat die Version nicht behalten
rollout-device-silent = schweigt, seit es die Version hat
rollout-device-trying = probiert die Version aus
rollout-device-offered = hat die Version angeboten bekommen
rollout-device-set-aside = hat die Version einen Tag lang nicht probiert
rollout-device-excused = gescheitert, und es wurde fortgefahren
rollout-device-gone-over = hat die Version
rollout-device-waiting = wartet, bis es an der Reihe ist
rollout-device-absent = fragt nicht, was es ausführen soll
rollout-device-pinned = hat eine Version in seiner Konfiguration
rollout-device-flux = wird von Flux aktualisiert
rollout-do-halt = Anhalten
rollout-do-resume = Fortfahren
rollout-do-advance = Nächster Schritt
rollout-do-end = Beenden
rollout-do-note = Fortfahren und der nächste Schritt lassen gescheiterte Geräte gelten. Beenden ist endgültig.
rollout-history = Was geschah
rollout-event = { $at }: { $what }, Schritt { $step }, von { $by }
rollout-by-server = diesem Server
rollout-begin = Eine Version ausrollen
rollout-begin-version = Version, die veröffentlicht ist
rollout-begin-first = Geräte, die vorangehen (Kennungen mit Leerzeichen dazwischen)
rollout-begin-steps = Schritte: Anteile aller Geräte in Prozent
rollout-begin-soak = So viele Stunden wird jeder Schritt beobachtet
rollout-begin-button = Ausrollen
rollout-was-begun = Die Version wird ausgerollt.
rollout-was-changed = Das ist geschehen.
rollout-fault-form = Die Anteile steigen bis 100, ein Schritt wird höchstens 720 Stunden beobachtet, und Version und Geräte sind vollständig geschrieben.
rollout-fault-unpublished = Diese Version ist nicht veröffentlicht: Sie muss erst hinzugefügt, unterschrieben und veröffentlicht werden (ebp release).
rollout-fault-recalled = Diese Version ist zurückgerufen: Kein Gerät geht zu ihr über.
rollout-fault-releases = Der Ordner der Veröffentlichungen, den der Server kennt, lässt sich nicht lesen.
rollout-fault-device = Eines der genannten Geräte gibt es nicht, oder sein Haushalt hat widerrufen.
rollout-fault-state = Das geht in diesem Stand nicht: Er steht unten, wie er jetzt ist.
rollout-fault-changed = Jemand anderes hat es geändert, seit Sie diese Seite geöffnet haben. Unten steht es, wie es jetzt ist.
