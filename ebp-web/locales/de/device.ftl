# Seiten der Teilnehmer
brand = Stromstudie
menu-today = Heute
menu-measurements = Messwerte
menu-live = Jetzt
menu-registration = Angaben
menu-devices = Geräte
menu-consent = Einwilligung
menu-data = Meine Daten
to-start = Zur Startseite
to-sign-in = Zur Anmeldung

# Anmelden
sign-in-title = Anmelden
sign-in-what = Dieses Gerät liest Ihre Stromzähler für eine wissenschaftliche Studie. Hier sehen Sie, was es misst, und entscheiden, ob es messen darf.
code-label = Ihr Zugangscode
code-hint = Acht Zeichen, zum Beispiel K7QM-2XTD. Groß oder klein, mit oder ohne Bindestrich.
code-again = Bitte geben Sie Ihren Zugangscode noch einmal ein
stay = Auf diesem Telefon 30 Tage angemeldet bleiben, nur zum Ansehen
sign-in = Anmelden
where-code = Wo finde ich den Code?
where-code-text = Der Code steht auf dem Blatt, das Sie mit dem Gerät bekommen haben. Wenn Sie das Blatt nicht mehr haben, bitten Sie die Forschungsgruppe um einen neuen Code.
sheet = Zeichnung des Blatts: Neben dem gemusterten Quadrat steht der Code.
code-wrong = Dieser Code ist nicht richtig. Vergleichen Sie ihn mit dem Blatt und versuchen Sie es noch einmal.
code-wait-seconds = { $count ->
    [one] Es wurden zu viele falsche Codes eingegeben. In { $count } Sekunde geht es weiter.
   *[other] Es wurden zu viele falsche Codes eingegeben. In { $count } Sekunden geht es weiter.
}
code-wait-until = Es wurden zu viele falsche Codes eingegeben. Um { $time } geht es weiter.
session-ended = Ihre Anmeldung ist abgelaufen. Bitte melden Sie sich wieder an.
session-ended-draft = Ihre Anmeldung ist abgelaufen, und nichts wurde gesendet. Melden Sie sich wieder an: Ihre Nachricht bleibt erhalten.
signed-out = Sie sind abgemeldet.
cookies-off = Ihr Browser hat die Anmeldung nicht behalten. Erlauben Sie Cookies für diese Adresse und melden Sie sich noch einmal an. Diese Seite braucht ein einziges, das nach der Abmeldung verfällt.
clock-not-set = Die Uhr dieses Geräts ist noch nicht gestellt. Es stellt sie, sobald es das Internet erreicht; gemessen wird trotzdem.
not-enrolled = Dieses Gerät ist noch nicht eingerichtet. Wenden Sie sich an die Forschungsgruppe.

# Fehler
request-id = Kennung der Anfrage: { $id }. Nennen Sie sie, wenn Sie die Forschungsgruppe fragen.
nothing-changed = Es wurde nichts geändert.
not-found-title = Diese Seite gibt es nicht
not-found = Unter dieser Adresse ist nichts.
not-found-remedy = Gehen Sie zur Startseite und folgen Sie dort den Verweisen.
form-refused-title = Das Formular wurde nicht angenommen
form-refused = Die Eingabe kam nicht von einer Seite dieses Geräts, oder Ihre Anmeldung hat sich inzwischen geändert.
form-refused-remedy = Öffnen Sie die Seite neu und versuchen Sie es noch einmal.
too-long-title = Das ist zu lang
too-long = Die Eingabe ist länger, als dieses Gerät annimmt.
too-long-remedy = Kürzen Sie den Text und senden Sie ihn noch einmal.
away-title = Der Server der Studie ist nicht erreichbar
away = Der Server der Studie antwortet zurzeit nicht.
away-holds = Ihr Gerät misst weiter, und alles, was es gemessen hat, bleibt auf ihm, bis der Server es hat.
away-remedy = Versuchen Sie es in einigen Minuten wieder. Prüfen Sie, ob Ihr Internet geht.
not-accepted-title = Der Server nimmt diese Seite nicht an
not-accepted = Der Server der Studie erkennt dieses Gerät nicht mehr an.
not-accepted-remedy = Wenden Sie sich an die Forschungsgruppe.
refused-title = Das ging nicht
refused = Der Server der Studie hat die Anfrage nicht angenommen.
refused-remedy = Öffnen Sie die Seite neu. Wenn es wieder nicht geht, wenden Sie sich an die Forschungsgruppe.
request-refused = Diese Anfrage kann nicht beantwortet werden.
wrong-address = Unter dieser Adresse antwortet das Gerät nicht. Öffnen Sie eine dieser Adressen, oder seine IP-Adresse: { $names }

# Heute
state-not-granted = Es wird nichts gemessen: Ihre Einwilligung fehlt noch.
state-unknown = Zurzeit ist nicht bekannt, ob gemessen wird.
state-granted = Ihre Einwilligung ist erteilt.
state-first = Alles ist bereit. Den ersten Messwert gibt es um { $time }.
state-well = Alles in Ordnung: Ihre Zähler werden gemessen.
state-one-silent = Einer Ihrer Zähler wurde zuletzt { $ago } gemessen. Jeder sollte alle 15 Minuten gemessen werden.
state-silent = Der letzte Messwert ist { $ago } entstanden. Es sollte alle 15 Minuten einen geben.
state-head = Ein Lesekopf ist nicht erreichbar. Prüfen Sie, ob er am Zähler sitzt und ob sein Kabel steckt.
state-locked = Ein Zähler ist gesperrt: Er zeigt nur ganze Kilowattstunden. Deshalb gibt es keine Viertelstunden, und Tage nur als Bereich.
before-consent = Solange Sie nicht einwilligen, öffnet das Gerät keinen Lesekopf. Nach Ihrer Einwilligung liest es alle 15 Minuten Ihre Zähler und sendet die Werte an den Server der Studie.
to-consent = Zur Einwilligung
cloud-away-since = Der Server der Studie ist seit { $time } nicht erreichbar. Das Gerät misst weiter; neue Zahlen gibt es, wenn er wieder antwortet.
cloud-refuses = Der Server der Studie gibt zurzeit keine Auskunft. Wenn das so bleibt, wenden Sie sich an die Forschungsgruppe.
meterside-missing = Das Messprogramm auf diesem Gerät antwortet nicht. Wenden Sie sich an die Forschungsgruppe, wenn das länger als ein paar Minuten dauert.
last-measured = Zuletzt gemessen
last-sent = Zuletzt gesendet
power-in = Strom aus dem Netz
power-out = Strom ins Netz
power-sum = Leistung
power-generated = Leistung der Solaranlage
today-figures = Heute bisher
yesterday = Gestern
figures-until = Die Zahlen reichen bis { $time }. Das Gerät sendet jede Stunde neue.
figures-of = Stand: { $time }, seitdem ist der Server nicht erreichbar.
to-measurements = Andere Tage, Wochen, Monate und Jahre
something-wrong = Etwas stimmt nicht
pause = Aktualisieren anhalten

# Zahlen und Diagramm
import = Bezogen
export = Eingespeist
generation = Erzeugt
own-share = Selbst verbraucht
autarky = Selbst versorgt
before = davor: { $value }
from-to = { $from } bis { $to }
range-why = Der Zähler zeigt nur ganze Kilowattstunden.
formula-import = Was aus dem Netz kam: Zählerstand am Ende minus Zählerstand am Anfang.
formula-export = Was ins Netz ging: Zählerstand am Ende minus Zählerstand am Anfang.
formula-generation = Was Ihre Solaranlage erzeugt hat: Zählerstand am Ende minus Zählerstand am Anfang.
formula-own-share = (Erzeugt − Eingespeist) ÷ Erzeugt: der Teil Ihres Solarstroms, den Sie selbst verbraucht haben.
formula-autarky = (Erzeugt − Eingespeist) ÷ (Bezogen + Erzeugt − Eingespeist): der Teil Ihres Verbrauchs, den Sie selbst erzeugt haben.
formula-battery = Darin sind auch die Verluste Ihres Speichers.
why-no-generation-meter = Kein Zähler misst, was Ihre Solaranlage erzeugt.
why-topology = So wie Ihre Zähler angeschlossen sind, lässt es sich nicht berechnen.
why-no-grid-meter = Dafür fehlt ein Zähler am Netzanschluss.
why-several-grid-meters = Am Netzanschluss sind mehrere Zähler angemeldet; daraus lässt sich das nicht berechnen.
why-one-register = Der Zähler am Netzanschluss zeigt nur, was bezogen wird.
why-coverage = Es fehlen zu viele Messwerte.
why-too-little = Dafür ist es noch zu wenig Strom.
why-not-measured = Dafür fehlen Messwerte.
chart-title = Strom, { $period }
chart-text = Balken nach oben: aus dem Netz bezogen. Balken nach unten: ins Netz eingespeist. Linie: erzeugt. Alle Werte stehen in der Tabelle darunter.
chart-keys = Diagramm, mit Pfeiltasten ablesbar
chart-hint = Mit Finger, Maus oder Pfeiltasten ablesen.
legend-import = Bezogen (nach oben)
legend-export = Eingespeist (nach unten)
legend-generation = Erzeugt (Linie)
legend-gap = nicht gemessen (schraffiert)
table = Als Tabelle
column-time = Zeit
column-day = Tag
column-month = Monat
column-coverage = Gemessen
no-energy = Für diese Zeit gibt es keine Messwerte.
only-range = Kürzere Zeiten sind nicht bekannt, weil der Zähler nur ganze Kilowattstunden zeigt.
day-of-23-hours = An diesem Tag beginnt die Sommerzeit: Er hat 23 Stunden.
day-of-25-hours = An diesem Tag endet die Sommerzeit: Er hat 25 Stunden, und die Zeit von 02:00 bis 03:00 gibt es zweimal.
remark-reset = Ein Zähler wurde in dieser Zeit getauscht oder begann von vorn. Über den Wechsel wird nicht gerechnet.
remark-doubtful = Einzelne Werte sind zweifelhaft; sie sind blasser gezeichnet.
remark-coarse = Ein Zähler zeigte in dieser Zeit nur ganze Kilowattstunden.

# Messwerte
period = Zeitraum
period-day = Tag
period-week = Woche
period-month = Monat
period-year = Jahr
previous-day = Tag davor
previous-week = Woche davor
previous-month = Monat davor
previous-year = Jahr davor
next-day = Tag danach
next-week = Woche danach
next-month = Monat danach
next-year = Jahr danach
date = Tag
show = Zeigen
compared-with = Kleine Zahlen: { $period }.
coverage = { $share } der Viertelstunden sind gemessen.
coverage-none = In dieser Zeit wurde nicht gemessen.
formulas = Wie die Zahlen berechnet werden
money-title = Was das wert ist
money-text = Ihre Preise stehen danach in der Adresse dieser Seite, und Ihr Browser behält sie. Auf dem Gerät werden sie nicht gespeichert.
import-price = Preis je kWh aus dem Netz, ct
export-price = Vergütung je kWh ins Netz, ct
compute = Berechnen
earned = Vergütung
saved = Gespart
price-wrong = Geben Sie beide Preise in Cent ein, zum Beispiel 32,5 und 8,1.
prices-own = Berechnet mit Ihren Preisen.
prices-survey = Berechnet mit den Preisen der Studie.
prices-own-form = Eigene Preise
prices-forget = Eigene Preise vergessen
money-earned-formula = Vergütung: { $energy } kWh eingespeist × { $price } ct = { $euros }
money-saved-formula = Gespart: { $energy } kWh selbst verbraucht × { $price } ct = { $euros }
money-by-days = In diesem Zeitraum ändert sich der Preis: Jeder Tag ist mit seinem Preis gerechnet.
money-price-from = Ab { $day }: { $import } ct je kWh aus dem Netz, { $export } ct je kWh ins Netz.
money-missing-days = { $count ->
    [one] { $count } Tag fehlt in der Summe, weil nicht bekannt ist, wie viel Strom es war.
   *[other] { $count } Tage fehlen in der Summe, weil nicht bekannt ist, wie viel Strom es war.
}
money-missing-days-earned = { $count ->
    [one] { $count } Tag fehlt in der Vergütung, weil nicht bekannt ist, wie viel Strom eingespeist wurde.
   *[other] { $count } Tage fehlen in der Vergütung, weil nicht bekannt ist, wie viel Strom eingespeist wurde.
}
money-missing-days-saved = { $count ->
    [one] { $count } Tag fehlt in der Ersparnis, weil nicht bekannt ist, wie viel Strom Sie selbst verbraucht haben.
   *[other] { $count } Tage fehlen in der Ersparnis, weil nicht bekannt ist, wie viel Strom Sie selbst verbraucht haben.
}
money-by-quarters = Der Preis ändert sich jede Viertelstunde: Die Energie jeder Viertelstunde ist mit ihrem Preis gerechnet.
money-earned-quarters = Vergütung: { $energy } kWh eingespeist, im Mittel { $price } ct je kWh = { $euros }
money-saved-quarters = Gespart: { $energy } kWh selbst verbraucht, im Mittel { $price } ct je kWh = { $euros }
money-missing-quarters = { $count ->
    [one] { $count } Viertelstunde fehlt in der Summe, weil ihr Strom oder ihr Preis nicht bekannt ist.
   *[other] { $count } Viertelstunden fehlen in der Summe, weil ihr Strom oder ihr Preis nicht bekannt ist.
}
money-missing-quarters-earned = { $count ->
    [one] { $count } Viertelstunde fehlt in der Vergütung, weil ihr Strom oder ihr Preis nicht bekannt ist.
   *[other] { $count } Viertelstunden fehlen in der Vergütung, weil ihr Strom oder ihr Preis nicht bekannt ist.
}
money-missing-quarters-saved = { $count ->
    [one] { $count } Viertelstunde fehlt in der Ersparnis, weil ihr Strom oder ihr Preis nicht bekannt ist.
   *[other] { $count } Viertelstunden fehlen in der Ersparnis, weil ihr Strom oder ihr Preis nicht bekannt ist.
}
money-shorter-period = Der Preis ändert sich jede Viertelstunde. Wählen Sie einen Monat oder weniger, um zu sehen, was der Strom wert ist.
money-without = Ohne Grundpreis und Steuern.
no-such-day = Diesen Tag oder Zeitraum gibt es nicht. Gezeigt wird heute.
before-the-first = In diesem Zeitraum wurde hier noch nicht gemessen.
no-period = Kein Zeitraum
no-period-why = Für diese Adresse gibt es keine Messwerte: Der Tag muss wie 2026-03-31 geschrieben sein und zwischen den Jahren 2000 und 2100 liegen, der Zeitraum Tag, Woche, Monat oder Jahr sein.
in-the-future = Dieser Zeitraum liegt in der Zukunft.
downloads = Herunterladen
csv-german = CSV für deutsche Tabellenprogramme
csv-rfc = CSV mit Komma und Dezimalpunkt
json = JSON

# Wartende Messwerte
waiting-count = { $count ->
    [one] { $count } Messwert wartet auf diesem Gerät.
   *[other] { $count } Messwerte warten auf diesem Gerät.
}
pending-title = Was noch auf dem Gerät ist
pending-why = Das Gerät sendet seine Messwerte jede Stunde. Erst wenn der Server den Empfang bestätigt, löscht es sie.
never-sent = Das Gerät hat noch nie gesendet.
sent-at = Zuletzt gesendet: { $time }.
report-due = Das nächste Mal sendet es gegen { $time }.
report-late = Das nächste Senden ist überfällig.
waits-for-server = Der Server der Studie ist seit { $time } nicht erreichbar; darum warten die Messwerte. Prüfen Sie, ob Ihr Internet geht.
unplaced-count = { $count ->
    [one] { $count } Messwert hat noch keine Zeit, weil die Uhr nicht gestellt war.
   *[other] { $count } Messwerte haben noch keine Zeit, weil die Uhr nicht gestellt war.
}
refused-count = { $count ->
    [one] { $count } Messwert hat der Server nicht angenommen.
   *[other] { $count } Messwerte hat der Server nicht angenommen.
}
only-newest = { $count ->
    [one] Gezeigt wird der neueste.
   *[other] Gezeigt werden die { $count } neuesten.
}
spool-damaged = Der Speicher des Geräts kann nicht gelesen werden. Das Messprogramm legt einen neuen an; wenden Sie sich an die Forschungsgruppe, wenn das so bleibt.
spool-full = Der Speicher des Geräts ist voll: Es misst erst wieder, wenn es senden konnte.
spool-set-aside = Der Speicher des Geräts war beschädigt; es hat einen neuen angelegt. Die Forschungsgruppe weiß davon.
meter = Zähler
column-import = Stand Bezug
column-export = Stand Einspeisung
register-import = Zählerstand Bezug
register-export = Zählerstand Einspeisung

# Jetzt
live-what = Was Ihre Zähler zuletzt gezeigt haben. Wenn Sie jetzt ablesen, dauert das bis zu 15 Sekunden.
read-now = Jetzt ablesen
read-again = Noch einmal ablesen
never-measured = noch nie gemessen
live-no-consent = Ohne Ihre Einwilligung wird kein Zähler gelesen.
live-busy = Der Zähler wird gerade gemessen. Versuchen Sie es in einer Minute wieder.
live-silent = Der Zähler hat nichts gesendet. Prüfen Sie, ob der Lesekopf am Zähler sitzt.
live-head-away = Der Lesekopf ist nicht erreichbar. Prüfen Sie, ob er am Zähler sitzt und ob sein Kabel steckt.
live-held = Zuletzt gelesen: { $when }

# Angaben
name = Name
email = E-Mail
street = Straße
city = Ort
location = Lage
map = Karte mit der Lage Ihres Haushalts
yes = ja
no = nein
adults = Erwachsene
adults-with-job = davon berufstätig
children = Kinder
ev-charger = Ladestation für ein Elektroauto
heat-pump = Wärmepumpe
home-battery = Stromspeicher
metering-concept = Anschluss der Solaranlage
concept-surplus = Eigenverbrauch, der Rest wird eingespeist
concept-full = Alles wird eingespeist, über einen eigenen Zähler
concept-cascade = Mehrere Anlagen hintereinander (Kaskade)
concept-none = keine Solaranlage
concept-unknown = nicht angegeben
battery-ac = ja, am Hausnetz
battery-dc = ja, am Wechselrichter
nominal-power = Nennleistung
azimuth = Ausrichtung (180° ist Süden)
tilt = Neigung
installed = In Betrieb seit
meter-grid = Zähler am Netzanschluss
meter-generation = Zähler der Solaranlage
about-contact = Name und E-Mail
about-address = Adresse und Lage
about-answers = Antworten zum Haushalt
about-meter = Zähler
about-pv-system = Solaranlage
about-device = Messgerät
about-measurements = Messwerte
about-consent = Einwilligung und Datenschutz
about-other = Etwas anderes
message-title = Der Forschungsgruppe schreiben
message-what = Hier ist etwas falsch, oder Sie haben eine Frage? Höchstens 2.000 Zeichen. Die Antwort erscheint auf dieser Seite.
message-about = Worum geht es?
message-text = Ihre Nachricht
message-send = Nachricht senden
message-sent = Ihre Nachricht ist angekommen.
message-kept = Sie sind wieder angemeldet. Ihre Nachricht steht unten und ist noch nicht gesendet.
message-empty = Schreiben Sie, was nicht stimmt.
message-long = Der Text hat { $count } Zeichen; höchstens 2.000 sind möglich.
message-about-missing = Wählen Sie, worum es geht.
message-not-sent = Die Nachricht konnte nicht gesendet werden; Ihr Text steht noch im Feld. Versuchen Sie es in einigen Minuten wieder.
message-too-many = Es sind schon zu viele Nachrichten offen. Warten Sie auf eine Antwort.
messages = Ihre Nachrichten
message-open = noch nicht beantwortet
message-answer = Antwort:

# Geräte
device = Messgerät
device-well = Es misst und sendet.
device-silent = Es hat seit mehr als drei Stunden nichts gesendet.
device-sent-nothing = Es hat noch nichts gesendet. Der erste Bericht kommt innerhalb einer Stunde nach der Einwilligung.
device-no-consent = Es wird nichts gemessen: Ihre Einwilligung fehlt.
device-never = Es hat sich noch nie gemeldet.
device-incident = Es meldet eine Störung an einem Zähler.
last-seen = Zuletzt gemeldet
connections = Was woran angeschlossen ist
identifier = Kennung
loose-meters = Zähler, die kein Gerät liest
uncounted-systems = Solaranlagen, die kein Zähler misst
no-devices = Es ist noch kein Gerät angemeldet.
removed-on = ausgebaut:
counts-grid = zählt, was aus dem Netz kommt und was hineingeht
counts-generation = zählt, was die Solaranlage erzeugt
this-device = Dieses Gerät
waiting = Wartet
certificate-end = Zertifikat gültig bis
certificate-near = Das Zertifikat dieses Geräts läuft bald ab und wurde nicht erneuert. Wenden Sie sich an die Forschungsgruppe, wenn das so bleibt.
system-with-power = Solaranlage mit { $power }
incident-head = Der Lesekopf ist nicht erreichbar.
incident-locked = Der Zähler zeigt keine Einzelheiten; vielleicht ist er gesperrt.

# Fernzugriff
remote-access = Fernzugriff
remote-state = Jetzt
remote-none = Auf diesem Gerät ist kein Fernzugriff eingerichtet.
remote-missing = Das Programm für den Fernzugriff antwortet nicht. Solange es nicht läuft, kann niemand aus der Ferne auf dieses Gerät zugreifen.
remote-never = Fernzugriff ist auf diesem Gerät nie erlaubt.
remote-until = Fernzugriff ist bis { $time } erlaubt.
remote-permitted = Fernzugriff ist erlaubt.
remote-switched-off = Fernzugriff ist ausgeschaltet.
remote-off = Fernzugriff ist aus, bis Sie ihn einschalten.
remote-connected = Jetzt verbunden: { $who } seit { $time } ({ $service }).
remote-reachable = Das Gerät ist für die Forschungsgruppe seit { $time } erreichbar.
remote-not-reachable = Das Gerät ist für die Forschungsgruppe zurzeit nicht erreichbar.
remote-what = Über den Fernzugriff kann die Forschungsgruppe dieses Gerät warten. Das Gerät schreibt jeden Zugriff auf, bevor er beginnt.
remote-services = Erreichbar ist nur: { $services }.
remote-switch = Fernzugriff ein- oder ausschalten
remote-standard-on = Ohne Ihre Wahl ist der Fernzugriff erlaubt.
remote-standard-off = Ohne Ihre Wahl ist der Fernzugriff aus.
remote-day = Erlauben bis zum Ende dieses Tages
remote-permit = Bis dahin erlauben
remote-switch-off = Jetzt ausschalten
remote-as-configured = Meine Wahl zurücknehmen
remote-switch-what = Danach bleibt der Fernzugriff aus, bis Sie ihn wieder erlauben. Wenn Sie ausschalten, enden auch Zugriffe, die gerade bestehen.
remote-day-wrong = Wählen Sie einen Tag von heute an, höchstens ein Jahr voraus.
remote-not-set = Das ging nicht; nichts wurde geändert. Versuchen Sie es in einer Minute noch einmal.
remote-done = Ihre Wahl gilt ab sofort.
remote-sessions = Zugriffe
remote-table = Tabelle der Zugriffe
remote-no-sessions = Noch niemand hat aus der Ferne auf dieses Gerät zugegriffen.
remote-from = Beginn
remote-who = Wer
remote-service = Worauf
remote-lasted = Dauer
remote-end = Ende
remote-goes-on = läuft noch
remote-closed = beendet
remote-broken = abgebrochen
remote-idle = beendet, weil nichts geschah
remote-too-long = beendet nach der längsten Dauer
remote-ended-by-you = von Ihnen ausgeschaltet
remote-interrupted = unterbrochen, weil das Gerät neu startete

# Einwilligung
consent-granted-on = Sie haben eingewilligt: { $when }.
granted-by-page = Sie wurde auf dieser Seite erteilt.
granted-by-device = Sie wurde mit dem Programm auf dem Messgerät erteilt.
granted-by-certificate = Sie wurde mit Ihrem eigenen Zertifikat erteilt.
granted-by-token = Sie wurde mit einem anderen Ihrer Programme erteilt.
consent-granted = Sie haben eingewilligt.
consent-not-granted = Sie haben noch nicht eingewilligt. Es wird nichts gemessen.
consent-about = Worum es geht
consent-details = Alle Angaben zum Datenschutz
controller = Verantwortlich
consent-text =
    Dieses Gerät misst alle 15 Minuten die Stände Ihrer Stromzähler und die Leistung. Daran kann man erkennen, wann jemand zu Hause ist und welche Gewohnheiten ein Haushalt hat.

    Die Messwerte dienen der Forschung. Die Teilnahme ist freiwillig; ohne sie entsteht Ihnen kein Nachteil. Sie können Ihre Einwilligung jederzeit hier, per Brief oder am Telefon widerrufen.

    Sprechen Sie vorher mit allen, die hier wohnen.
grant-title = Einwilligung erteilen
grant-what = Wenn Sie einwilligen, beginnt das Gerät zu messen. Sie können das jederzeit hier beenden. Die nächste Seite sagt, was geschieht; erst dort willigen Sie ein.
grant-tick = Ich habe die Angaben gelesen und bin mit der Messung einverstanden.
grant = Einwilligung erteilen
granted-now = Ihre Einwilligung ist erteilt. Speichern Sie sich eine Kopie; Sie können sie auch drucken.
copy-title = Einwilligung
copy-survey = Studie
copy-granted = Erteilt am
copy-version = Fassung des Textes
save-copy = Meine Einwilligung mit dem ganzen Text speichern
text-is-newer = Der Text unten ist neuer als der, in den Sie eingewilligt haben.
revoke-anytime = Sie können diese Einwilligung jederzeit widerrufen: auf der Seite des Geräts, per Brief, per E-Mail oder am Telefon.
revoke-title = Einwilligung widerrufen
revoke-what = Wenn Sie widerrufen, hört das Gerät auf zu messen, für immer. Die nächste Seite sagt, was mit Ihren Daten geschieht; erst dort widerrufen Sie.
revoke-tick = Ich möchte meine Einwilligung widerrufen.
revoke = Einwilligung widerrufen
purposes-title = Weitere Einwilligungen
purposes-what = Jede ist freiwillig und gilt für sich: Die Teilnahme hängt von keiner ab, und Sie können jede einzeln widerrufen.
purposes-confirm = Sie willigen außerdem ein
purposes-not-stored = Ihre Einwilligung in die Messung ist erteilt. Nicht alle weiteren Einwilligungen konnten gespeichert werden; unten steht, welche gelten.
purpose-not-given = Nicht erteilt.
purpose-given = Erteilt: { $when }.
purpose-withdrawn = Widerrufen: { $when }.
purpose-give = Erteilen
purpose-withdraw = Widerrufen
purpose-done = Ihre Entscheidung ist gespeichert.
tick-first = Setzen Sie zuerst das Häkchen.
confirm-grant-title = Einwilligung bestätigen
confirm-grant-text =
    ## Was geschieht
    - Das Gerät liest alle 15 Minuten Ihre Zähler.
    - Es sendet die Werte an den Server der Studie.
    - Sie sehen hier alles, was gemessen wurde.
    - Sie können jederzeit widerrufen.
confirm-revoke-title = Widerruf bestätigen
confirm-revoke-text =
    ## Gelöscht wird
    - Ihr Name, Ihre E-Mail-Adresse und Ihre Adresse
    - Ihre Nachrichten und der Zustand Ihres Geräts
    - alles, was noch auf diesem Gerät ist
    ## Verändert wird
    - Die Lage wird verschoben, je nach Besiedlung um 0,3 bis 20 km.
    - Die Leistung der Solaranlage wird gerundet; vom Datum bleibt das Jahr.
    ## Erhalten bleiben
    - die Messwerte und die Antworten zum Haushalt, ohne Namen und Adresse
    - Sicherungskopien bis zu 30 Tage
    ## Danach
    - Das Gerät misst nie wieder. Geben Sie es bitte zurück.
download-first = Vorher alle meine Daten herunterladen
not-done = Das konnte nicht ausgeführt werden; es wurde nichts geändert. Versuchen Sie es noch einmal.
text-changed = Der Text hat sich geändert, seit Sie ihn geöffnet haben. Bitte lesen Sie ihn noch einmal; es wurde nichts geändert.
unknown-title = Das Ergebnis ist nicht bekannt
unknown-grant = Der Server hat nicht geantwortet. Es kann sein, dass Ihre Einwilligung erteilt ist, oder auch nicht. Sehen Sie in einigen Minuten nach.
unknown-revoke = Der Server hat nicht geantwortet. Es kann sein, dass Ihr Widerruf ausgeführt ist, oder auch nicht. Sehen Sie in einigen Minuten nach.
look-again = Nachsehen
ended-title = Ihre Einwilligung ist widerrufen
ended-since = Seit
ended-text =
    Dieses Gerät misst nicht mehr, und es wird nie wieder messen.
    ## Gelöscht wurde
    - Ihr Name, Ihre E-Mail-Adresse und Ihre Adresse
    - Ihre Nachrichten und der Zustand Ihres Geräts
    ## Verändert wurde
    - die Lage Ihres Haushalts und die Angaben zur Solaranlage
    ## Erhalten blieben
    - die Messwerte und die Antworten zum Haushalt, ohne Namen und Adresse
    - Sicherungskopien bis zu 30 Tage
    ## Was Sie jetzt tun
    - Ziehen Sie den Lesekopf vom Zähler ab und trennen Sie das Gerät vom Strom.
    - Geben Sie es der Forschungsgruppe zurück.

    Danke, dass Sie teilgenommen haben.

# Meine Daten
data-what = Hier bekommen Sie alles, was die Studie über Ihren Haushalt gespeichert hat.
data-size = Große Dateien brauchen etwas Zeit; sie werden geschickt, während sie entstehen.
data-rights = Sie haben ein Recht auf diese Auskunft und auf eine Kopie in einem Format, das Programme lesen können (DSGVO, Artikel 15 und 20).
everything-json = Alles in einer Datei (JSON)
measurements-csv = Messwerte (CSV): { $meter }
releases-title = Datensätze, in denen Sie sind
releases-none = Ihr Haushalt ist in keinem Datensatz, der die Forschungsgruppe verlassen hat.
releases-what = Diese Datensätze haben die Forschungsgruppe verlassen. Ihr Name, Ihre Adresse und Ihr Standort sind in keinem davon.
release-research = Ihr Haushalt ist einer von vielen ohne Namen. Er ging unter Vertrag an { $recipient }.
release-research-unnamed = Ihr Haushalt ist einer von vielen ohne Namen. Er ging an einen Empfänger unter Vertrag.
release-public = Ihr Haushalt ist Teil von Zahlen über viele Haushalte zusammen, für alle.
release-detail-nuts3 = Außer der Energie steht darin: Ihr Kreis und, in Klassen, die Antworten zu Haushalt und Anlage.
release-detail-nuts2 = Außer der Energie steht darin: Ihr Teil eines Bundeslandes und, in Klassen, die Antworten zu Haushalt und Anlage.
release-detail-nuts1 = Außer der Energie steht darin: Ihr Bundesland und, in Klassen, die Antworten zu Haushalt und Anlage.
release-detail-country = Außer der Energie steht darin: Ihr Land und, in Klassen, die Antworten zu Haushalt und Anlage.
release-detail-no-year = Außer der Energie steht darin: Ihr Land und, in Klassen, die Antworten zu Haushalt und Anlage, aber nicht, wann sie gebaut wurde.
release-detail-no-tilt = Außer der Energie steht darin: Ihr Land und, in Klassen, die Antworten zum Haushalt sowie Leistung und Richtung der Anlage.
release-detail-no-azimuth = Außer der Energie steht darin: Ihr Land und, in Klassen, die Antworten zum Haushalt sowie die Leistung der Anlage.
release-detail-no-persons = Außer der Energie steht darin: Ihr Land und, in Klassen, die Leistung der Anlage.
release-detail-no-power = Außer der Energie steht darin: Ihr Land und ob Sie eine Anlage haben.
release-detail-nothing = Außer der Energie steht darin: nichts.
release-detail-other = Außer der Energie steht darin höchstens: { $detail }

# Hilfe und Hinweise
contacts = Wen Sie fragen können
help-title = Hilfe
help-text =
    ## Was tut dieses Gerät?
    Es liest alle 15 Minuten Ihre Stromzähler durch einen Lesekopf und sendet die Werte jede Stunde an den Server der Studie. Es misst nur, solange Sie einwilligen.
    ## Es misst nicht
    - Sitzt der Lesekopf fest am Zähler, mit dem Kabel nach unten?
    - Leuchtet die Lampe am Gerät?
    - Geht Ihr Internet?
    ## Der Zähler zeigt nur ganze Kilowattstunden
    Dann ist er gesperrt. Ihr Messstellenbetreiber gibt Ihnen eine PIN; die Forschungsgruppe hilft dabei.
    ## Eine Zahl stimmt nicht
    Schreiben Sie der Forschungsgruppe auf der Seite Angaben.
privacy-title = Datenschutz
privacy-text =
    ## Diese Seite
    Sie kommt von dem Gerät in Ihrem Heimnetz. Sie lädt nichts von anderen Servern und zählt keine Besuche.
    ## Cookies
    Für die Anmeldung braucht sie ein Cookie, das bei der Abmeldung verfällt. Weitere behalten Sprache, Darstellung und Ihre Strompreise, wenn Sie sie wählen. Alle sind nötig oder von Ihnen gewünscht (§ 25 Absatz 2 TDDDG).
    ## Was andere sehen
    Die Seite wird in Ihrem Heimnetz unverschlüsselt übertragen. Wer darin mithören kann, sieht, was Sie sehen.
    ## Die Studie
    Was gemessen wird, wozu, und welche Rechte Sie haben, steht auf der Seite Einwilligung.
accessibility-title = Barrierefreiheit
accessibility-text =
    Diese Seiten sollen alle benutzen können. Sie richten sich nach den WCAG 2.2, Stufe AA.
    ## Was dafür getan ist
    - Alles geht mit der Tastatur und ohne Skripte.
    - Unter jedem Diagramm stehen dieselben Werte als Tabelle.
    - Nichts wird nur durch Farbe gesagt.
    - Die Seiten passen auf schmale Bildschirme und vertragen große Schrift.
    ## Was fehlt
    - Eine Prüfung durch Menschen, die auf Hilfsmittel angewiesen sind, steht noch aus.
    ## Wenn etwas nicht geht
    Schreiben Sie der Forschungsgruppe. Hilft das nicht, können Sie sich an die Schlichtungsstelle Ihres Bundeslandes wenden.
