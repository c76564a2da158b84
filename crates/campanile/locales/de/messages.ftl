# Nachrichten: schreiben, senden, verfolgen.
messages-intro = Was gesendet wurde, an wen, und wie weit es kam.
new-message = Neue Nachricht
all-messages = Alle Nachrichten
only-mine = Nur eigene
apply = Anwenden
none = keine Angabe
yes = ja
no = nein

status = Stand
status-any = Jeder Stand
status-active = Aktiv
status-scheduled = Geplant
status-expired = Beendet
status-disabled = Ausgeschaltet
status-recalled = Zurückgerufen
status-missed = Verpasst

figure-people = Personen
figure-seen = Gesehen
figure-read = Gelesen
to-audience = An { $what }
opens-at = ab { $what }
waits-disabled = Sie ist ausgeschaltet und wartet darauf, eingeschaltet zu werden.

no-messages-title = Noch keine Nachrichten
no-messages-text = Was Sie senden, steht hier, und wie weit es kam.
api-not-yours-title = Die Nachrichten dieser API sind nicht für Sie
api-not-yours-text = Dazu brauchen Sie das Recht, Nachrichten dieser API zu lesen oder zu senden.
no-api-messages-text = Nachrichten an die Nutzer dieser API stehen hier.
none-chosen-title = Hier ist keine Nachricht
none-chosen-text = Keine Nachricht passt zu dieser Auswahl.
none-so-far-title = Bisher keine
none-so-far-text = Unter den neuesten ist keine. Ältere können folgen.

apis-intro = Schreiben Sie den Nutzern einer API.
search-apis = APIs nach Name oder Kennung suchen
no-apis-title = Keine APIs
no-apis-text = Es gibt keine API, deren Nutzern Sie schreiben dürfen.
no-apis-found-title = Nichts gefunden
no-apis-found-text = Keine API beginnt so.
apis-more = Es gibt weitere. Suchen Sie nach dem Anfang eines Namens.
in-environment = Umgebung { $what }
api-subscribers =
    { $n ->
        [one] { $count } Abonnent
       *[other] { $count } Abonnenten
    }
in-directory = Im Verzeichnis

part-role = { $role } in { $what }
part-api-role = { $role } von Anwendungen mit Abonnement von { $what }
part-subscribers = Abonnenten von { $what }
part-subscribed = alle, die { $what } abonniert haben, gültig oder nicht
part-customer = { $what } ohne Unterkunden
part-subtree = { $what } mit Unterkunden
part-everyone = alle
part-group = Gruppe { $what }
part-user = { $what }
audience-more =
    { $n ->
        [one] { $count } weiterer Teil
       *[other] { $count } weitere Teile
    }
audience-and = { $first } und { $last }
audience-none = niemanden
audience-post = HTTP-Ziele
audience-reminded = alle, die nicht bestätigt hatten
reminded-of = Alle, die diese Nachricht nicht bestätigt hatten
audience-nobody = Niemand
found-role = Rolle
found-api-role = Rolle
found-subscribers = API
found-subscribed = API
found-customer = Kunde
found-subtree = Kunde
found-everyone = alle
found-group = alle Mitglieder
found-user = Person

compose-intro = An Personen dieser Plattform. Für die Nutzer einer API beginnen Sie bei der API.
compose-intro-api = An Nutzer von { $what } mit gültigem Abonnement.
send-as = Senden als
channel-portal = Portal-Mitteilung
channel-banner = Ankündigung oben auf jeder Seite
channel-email = E-Mail
channel-http = POST-HTTP-Nachricht
email-off = E-Mail ist aus: Es ist kein Mail-Relay eingerichtet.
http-off = POST HTTP ist auf diesem Server aus.
recipients = Empfänger
roles-environment = ENVIRONMENT-Rolle
roles-application = APPLICATION-Rolle
choice-subscribers = API-Abonnenten
choice-hint-role = in { $what }
choice-hint-api-role = von Anwendungen mit Abonnement dieser API
choice-hint-subscribers = wer ein gültiges Abonnement abschloss
choice-hint-everyone = alle aktiven Personen der Plattform
choice-hint-customer = nur die eigenen Personen
choice-hint-subtree = die eigenen Personen und die aller Kunden darunter
others = Weitere
others-placeholder = Kunde, Gruppe, Person oder API
find = Suchen
nothing-found = Nichts beginnt so.
recipients-hint = Wer zu mindestens einem davon passt, bekommt sie einmal.
remove = { $what } entfernen
remove-what = {"{"}what{"}"} entfernen
message-title = Titel
message-text = Text
text-hint = **fett**, *kursiv*, [Link](https://…), Listen mit - oder 1. Der Text liest sich überall gleich.
message-from = Von
window-and-late = Zeit und Nachzügler
publish-at = Veröffentlichen um
publish-at-hint = Leer: sofort.
show-until = Zeigen bis
show-until-hint = Leer: ohne Ende.
message-opens = Veröffentlichen um
message-closes = Zeigen bis
message-enabled = Eingeschaltet
not-counted = Nicht gezählt: Der Server war nicht erreichbar.
show-roles = Rollen zeigen
more-roles = Es gibt weitere Rollen. Finden Sie sie über ihren Namen.
other-roles = Weitere Rollen
other-roles-placeholder = Anfang einer Rolle
publish-passed = Dieser Zeitpunkt ist vorbei: Die Nachricht wird sofort gesendet.
at-once = sofort
no-end = ohne Ende
times-are-in = Zeiten gelten in { $what }.
late-joiners = Wer später dazukommt
late-at-send = Nur wer bei der Veröffentlichung passt, bekommt sie.
late-while-active = Auch wer passt, solange sie gezeigt wird, bekommt sie.
form-refused = Es wurde nichts gesendet und nichts geändert. Bitte berichtigen Sie, was markiert ist.
count = Zählen
send = Senden
send-to =
    { $n ->
        [0] An niemanden senden
        [one] An { $count } Person senden
       *[other] An { $count } Personen senden
    }
send-to-myself = An mich senden
sent-to-myself = Nur an Sie gesendet. Die Nachricht ist an Ihrer Glocke.
schedule = Planen

who-gets-it = Wer sie bekommt
exact = genau
people-now =
    { $n ->
        [one] Person, eben gezählt
       *[other] Personen, eben gezählt
    }
have-no-email = ohne E-Mail-Adresse
among-them = Darunter: { $what }
nobody-matches = Im Moment passt niemand.
choose-recipients = Wählen Sie Empfänger, um zu sehen, wie viele es sind.
preview = Vorschau
preview-bell = an der Glocke
preview-opened = Geöffnet, von { $what }
preview-untitled = Titel

why-missing = Warum fehlt jemand?
why-placeholder = Anmeldename oder Kennung
ask = Fragen
why-nobody = Niemand, nach dem Sie fragen dürfen, heißt „{ $what }“.
why-in = { $what } bekommt sie.
why-out = { $what } bekommt sie nicht.
why-part = { $part }: { $why }
why-holds-role = hat die Rolle seit { $what }.
why-holds-api-role = hat die Rolle in einer Anwendung mit gültigem Abonnement seit { $what }.
why-holds-subscribers = hat ein gültiges Abonnement seit { $what }.
why-holds-subscribed = hat ein Abonnement, gültig oder nicht, seit { $what }.
why-holds-customer = gehört zum Kunden seit { $what }.
why-holds-subtree = gehört zum Kunden oder einem darunter seit { $what }.
why-holds-everyone = ist aktiv seit { $what }.
why-holds-group = ist Mitglied der Gruppe seit { $what }.
why-holds-user = ist hier genannt.
why-deactivated = ist deaktiviert.
why-later = das Abonnement beginnt erst { $what }.
why-over = das Abonnement endete { $what }.
why-nearly = hat die Rolle, aber das Abonnement der Anwendung hat den Stand „{ $what }“.
why-made = hat ein Abonnement abgeschlossen, aber es hat den Stand „{ $what }“.
why-no-longer = nicht mehr; bis { $what }.
why-never-role = hatte diese Rolle in dieser Umgebung nie.
why-never-api-role = hat diese Rolle in keiner Anwendung mit Abonnement dieser API. Gruppen verleihen PRIMARY_OWNER nicht.
why-never-subscribers = hat kein gültiges Abonnement dieser API abgeschlossen.
why-never-subscribed = hat kein Abonnement dieser API abgeschlossen.
why-never-customer = gehört nicht zu diesem Kunden.
why-never-subtree = gehört weder zu diesem Kunden noch zu einem darunter.
why-never-everyone = ist deaktiviert.
why-never-group = ist nicht Mitglied dieser Gruppe.
why-never-user = ist jemand anderes.

confirm-send =
    { $n ->
        [0] An niemanden senden?
        [one] An { $count } Person senden?
       *[other] An { $count } Personen senden?
    }
confirm-schedule =
    { $n ->
        [0] Für niemanden planen?
        [one] Für { $count } Person planen?
       *[other] Für { $count } Personen planen?
    }
confirm-nobody = Jetzt passt niemand. Wer später dazukommt, bekommt sie nur, wenn Sie das unter „Zeit und Nachzügler“ wählen.
back-to-edit = Zurück zum Formular
done-sent = Gesendet.
done-scheduled = Geplant.

how-far = Wie weit sie kam
see-people = Personen ansehen
funnel-audience = Empfänger
funnel-seen = Gesehen
funnel-read = Gelesen
waits-until = Sie wartet. Ab { $what } sehen ihre Empfänger sie.
seen-by-nobody = Noch niemand hat sie gesehen.
never-shown = Niemand hat sie gesehen: Ihre Zeit verging, bevor sie veröffentlicht wurde.
over-time = Gesehen und gelesen über die Zeit
over-span = über { $what }
plot-desc = Zwei Linien über { $what }: wie viele Personen die Nachricht gesehen und wie viele sie gelesen hatten. Die Zahlen stehen in der Tabelle darunter.
as-a-table = Als Tabelle
until-then = Bis
span-minutes =
    { $n ->
        [one] { $count } Minute
       *[other] { $count } Minuten
    }
span-hours =
    { $n ->
        [one] { $count } Stunde
       *[other] { $count } Stunden
    }
span-days =
    { $n ->
        [one] { $count } Tag
       *[other] { $count } Tage
    }
without-email = Ohne E-Mail-Adresse
details = Einzelheiten
written-by = Geschrieben von

people = Personen
people-found =
    { $n ->
        [one] { $count } Person
       *[other] { $count } Personen
    }
search-people = Nach Anmeldename oder Name suchen
people-all = Alle
people-unseen = Nicht gesehen
people-seen = Gesehen
people-read = Gelesen
people-none-title = Niemand
people-none-text = In diesem Teil der Empfänger ist niemand.
people-none-found = In diesem Teil der Empfänger passt niemand.
person = Person
person-inactive = deaktiviert
person-no-email = keine E-Mail-Adresse
not-yet = noch nicht

changes = Änderungen
changes-intro = Jede Änderung, seit sie geschrieben wurde, die neueste zuerst.
no-changes-title = Nie geändert
no-changes-text = Sie ist, wie sie geschrieben wurde.
change-corrected = Berichtigt
change-recalled = Zurückgerufen
change-opened = Veröffentlicht
change-missed = Zeit verpasst
change-enabled = Eingeschaltet
change-disabled = Ausgeschaltet
change-readdressed = Andere Empfänger
rang-again = läutete erneut

correct = Berichtigen
correct-message = Nachricht berichtigen
correct-intro = Ihre Leser sehen den neuen Text als bearbeitet. Die Glocke schweigt, wenn Sie sie nicht läuten.
correct-intro-post = Sie wird mit dem neuen Text gesendet.
enabled-label = Eingeschaltet: Die Empfänger sehen sie.
ring-label = Die Glocke erneut läuten: Sie wird für alle ungelesen.
save-correction = Berichtigung speichern
done-corrected = Berichtigt.
recall = Zurückrufen
recall-from =
    { $n ->
        [0] Nachricht zurückrufen?
        [one] Von { $count } Person zurückrufen?
       *[other] Von { $count } Personen zurückrufen?
    }
recall-text =
    { $n ->
        [0] Sie verschwindet von jeder Glocke und aus jedem Eingang. Niemand hat sie gelesen. Das lässt sich nicht rückgängig machen.
        [one] Sie verschwindet von jeder Glocke und aus jedem Eingang. { $count } Person hat sie schon gelesen. Das lässt sich nicht rückgängig machen.
       *[other] Sie verschwindet von jeder Glocke und aus jedem Eingang. { $count } Personen haben sie schon gelesen. Das lässt sich nicht rückgängig machen.
    }
recall-post = Zurückrufen, was noch nicht hinaus ist?
recall-post-text = Was noch nicht gesendet wurde, wird nicht mehr gesendet. Was angekommen ist, bleibt, wo es ist. Das lässt sich nicht rückgängig machen.
recall-unsent = Vor der Veröffentlichung zurückrufen?
recall-unsent-text = Niemand hat sie gesehen, und niemand wird sie sehen. Das lässt sich nicht rückgängig machen.
keep-it = Behalten
done-recalled = Zurückgerufen.

# Wege nach draußen.
post-to = Senden an
post-url = URL
post-headers = HTTP-Header
post-header-name = Name
post-header-value = Wert
post-more-headers = Mehr Zeilen
post-proxy = System-Proxy benutzen
post-proxy-default = Wie am Server eingestellt
post-secret = Geheimnis der Signatur
post-secret-hint = Freiwillig. Damit wird die Anfrage nach Standard Webhooks signiert.
post-hint = Der Text ist der Rumpf, wie eingegeben. Werte von Headern und das Geheimnis werden verschlüsselt gespeichert und nicht wieder gezeigt.
post-reaches-nobody = Sie geht per POST an ihre Ziele. Kein Benutzer bekommt sie.
preview-request = Was gepostet wird
request-later = entsteht beim Senden
request-hidden = gesetzt, nicht gezeigt
preview-mail = Die E-Mail:
preview-mail-page = als Seite
preview-mail-text = als Text
mails = E-Mails
mails-to =
    { $n ->
        [one] { $count } Benutzer hat eine Adresse
       *[other] { $count } Benutzer haben eine Adresse
    }
destinations =
    { $n ->
        [one] { $count } Ziel
       *[other] { $count } Ziele
    }
confirm-post =
    { $n ->
        [0] Senden?
        [one] An { $count } Ziel senden?
       *[other] An { $count } Ziele senden?
    }
post-proxy-none = ja (dieser Server hat keinen)

# Acknowledged.
funnel-acknowledged = Bestätigt
people-acknowledged = Bestätigt
people-unacknowledged = Nicht bestätigt
people-csv = Als CSV herunterladen
remind-those =
    { $n ->
        [one] Diese eine Person erinnern
       *[other] Diese { $count } erinnern
    }
remind-question =
    { $n ->
        [one] { $count } Person erinnern?
       *[other] { $count } Personen erinnern?
    }
remind-text = Die Glocke läutet noch einmal für alle, die nicht bestätigt haben, und sie bekommen eine E-Mail, wenn dieser Server E-Mails sendet.
done-reminded =
    { $n ->
        [one] { $count } Person erinnert.
       *[other] { $count } Personen erinnert.
    }
