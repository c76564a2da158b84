# Die eigenen Seiten und die ersten Schritte.
me = Ihr Konto
me-login = Ihr Anmeldename ist { $what }. Nur eine Administratorin oder ein Administrator kann ihn ändern.
me-refused = Etwas stimmt noch nicht. Es wurde nichts geändert.
me-name = Name
me-email = E-Mail-Adresse
me-email-hint = Nachrichten per E-Mail gehen hierhin. Bleibt das Feld leer, werden keine verschickt.
me-language = Sprache
me-zone = Zeitzone
me-as-browser = Wie im Browser eingestellt
me-zone-now = Zeiten werden derzeit in { $what } angezeigt.
me-save = Profil speichern
done-profile = Ihr Profil ist gespeichert.
me-mail = E-Mail
me-mail-on = Nachrichten, die per E-Mail verschickt werden, gehen an { $what }.
me-mail-off = An { $what } gehen keine Nachrichten per E-Mail:
me-mail-cause-bounced = Eine E-Mail dorthin kam zurück.
me-mail-cause-complained = Ihr Mailanbieter meldet, dass Sie eine E-Mail als unerwünscht bezeichnet haben. Auch kritische Nachrichten werden nicht gemailt.
me-mail-cause-added = Die Verwaltung hat sie abgeschaltet.
me-mail-cause-unsubscribed = Sie haben sie abbestellt. Kritische Nachrichten kommen trotzdem.
me-mail-by-hand = Nur die Verwaltung kann sie wieder einschalten.
me-mail-stop = Keine E-Mails mehr an mich
me-mail-open = Wieder E-Mails an mich
me-data = Ihre Daten
me-data-says = Alles, was über Sie gespeichert ist, in einer Datei: wer Sie sind, was Sie halten, Ihre Nachrichten und wann Sie sie gelesen haben, und was das Journal sagt.
me-device = Benachrichtigungen auf diesem Gerät
me-device-says = Solange hier eine Seite der Konsole offen ist, zeigt Ihr System neue Nachrichten auch dann, wenn Sie etwas anderes ansehen. Das gilt nur für diesen Browser auf diesem Gerät.
me-device-allow = Benachrichtigungen erlauben
me-device-which = Welche Nachrichten
me-device-all = Alle Nachrichten
me-device-high = Hohe und kritische
me-device-critical = Nur kritische
me-device-off = Keine
me-device-denied = Dieser Browser lässt die Konsole keine Benachrichtigungen zeigen. Erlauben Sie sie neben der Adresse dieser Seite, in den Einstellungen der Website.
me-device-insecure = Browser zeigen Benachrichtigungen nur für eine Konsole an einer https-Adresse. Fragen Sie, wer diese hier betreibt.
me-device-unsupported = Dieser Browser zeigt keine Benachrichtigungen einer offenen Seite. Neue Nachrichten meldet hier die Glocke.
done-mail-on = Nachrichten werden Ihnen wieder gemailt.
done-mail-off = Sie bekommen keine E-Mails mehr, außer bei kritischen Nachrichten. Alles steht in Ihrem Posteingang.

# Die Seite hinter dem Link in einer E-Mail.
unsubscribe-title-ask = Keine E-Mails mehr?
unsubscribe-text-ask = Nachrichten von { $what } gehen per E-Mail an { $address }. Hier können Sie das beenden.
unsubscribe-title-off = Sie haben die E-Mails abbestellt
unsubscribe-text-off = { $what } schickt keine E-Mails mehr an { $address }.
unsubscribe-title-on = Sie bekommen wieder E-Mails
unsubscribe-text-on = Nachrichten von { $what } gehen wieder per E-Mail an { $address }.
unsubscribe-title-barred = E-Mails sind abgeschaltet
unsubscribe-text-barred = { $what } schickt keine E-Mails an { $address }: Eine E-Mail kam zurück, oder jemand hat sie abgeschaltet. Melden Sie sich an, dann steht der Grund in Ihrem Profil.
unsubscribe-title-nobody = Es gibt keine Adresse
unsubscribe-text-nobody = { $what } hat keine E-Mail-Adresse mehr von Ihnen und schickt Ihnen keine E-Mails.
unsubscribe-title-unknown = Dieser Link funktioniert nicht
unsubscribe-text-unknown = Vielleicht wurde er nicht ganz kopiert. Öffnen Sie ihn aus der E-Mail, oder melden Sie sich an und schalten Sie E-Mails in Ihrem Profil ab.
unsubscribe-rest = Kritische Nachrichten kommen trotzdem, und alles bleibt in Ihrem Posteingang.
unsubscribe-do = Abbestellen
unsubscribe-again = Wieder E-Mails an mich
last-used = zuletzt benutzt
copy = Kopieren
copied = Kopiert

change-password = Passwort
password-says = Eine Änderung beendet alle Ihre anderen Sitzungen. Diese Sitzung, Ihre Tokens und Ihr Ticket bleiben.
password-old = Ihr jetziges Passwort
password-new = Das neue Passwort
password-hint = Mindestens 8 Zeichen. Einige Wörter, die nur Sie so zusammenstellen, sind gut und leicht zu merken.
password-again = Das neue Passwort noch einmal
password-differs = stimmt nicht mit dem Passwort darüber überein
password-change = Passwort ändern
done-password = Ihr Passwort ist geändert. Alle Ihre anderen Sitzungen sind beendet.

token = Token
tokens-says = Ein Skript meldet sich mit einem Token statt mit Ihrem Passwort an und darf, was Sie dürfen.
token-new = Neues Token
token-name = Wofür es ist
token-name-hint = Zum Beispiel „nächtlicher Build“.
token-end = Endet
token-end-30 = In 30 Tagen
token-end-90 = In 90 Tagen
token-end-365 = In 365 Tagen
token-end-never = Nie, bis es widerrufen wird
token-end-own = Zu einer eigenen Zeit
token-end-at = Endet am
token-end-missing = ist keine Zeit; wählen Sie, wann das Token endet
token-create = Token erstellen
token-made = Das Token „{ $what }“ ist erstellt
token-made-says = Kopieren Sie es jetzt. Es wird nur dieses eine Mal angezeigt.
token-use = Ein Skript sendet es als
token-none-title = Keine Tokens
token-none-text = Sie haben keines erstellt. Skripte brauchen eines, Menschen nicht.
token-created = erstellt { $what }
token-unused = nie benutzt
token-ends = endet { $what }
token-ended = endete { $what }
token-endless = endet nicht
token-over = Abgelaufen
token-revoke = Widerrufen …
token-revoke-says = Was „{ $what }“ benutzt, kann sich nicht mehr anmelden. Das lässt sich nicht rückgängig machen.
token-revoke-now = Token widerrufen
done-token-revoked = Das Token ist widerrufen.

ticket = Auth-Ticket
ticket-says = Programme, die UI-Nachrichten für Sie abholen (Adressen unter /v3/), melden sich mit diesem Ticket an. Es läuft nicht von selbst ab.
ticket-label = Ihr Auth-Ticket
ticket-hidden = Das Ticket ist verborgen. Wer es hat, kann Ihre Nachrichten lesen: Sehen Sie es sich an, wenn niemand zuschaut.
ticket-show = Ticket anzeigen
ticket-hide = Verbergen
ticket-keep = Wer es hat, kann Ihre Nachrichten lesen. Bewahren Sie es auf wie ein Passwort.
ticket-renew = Ticket erneuern
ticket-renew-says = Wenn jemand anderes es gesehen haben könnte, holen Sie sich ein neues.
ticket-renew-sure = Das jetzige Ticket wird sofort ungültig. Programme, die es benutzen, brauchen das neue.
ticket-renew-now = Jetzt erneuern
done-ticket = Ihr Ticket ist erneuert. Das vorige ist ungültig.

sessions-says = Hier sind Sie angemeldet. Beenden Sie, was Sie nicht kennen, und ändern Sie dann Ihr Passwort.
sessions-none-title = Keine Sitzungen
sessions-none-text = Sie sind mit einem Token oder einem Passwort gekommen, ohne sich anzumelden.
session-this = Diese hier
session-from = von { $what }
session-since = angemeldet { $what }
session-until = endet { $what }
session-end = Beenden
sessions-end-others = Alle anderen beenden
sessions-end-others-says =
    { $n ->
        [one] Wer sie benutzt, muss sich neu anmelden.
       *[other] Wer eine davon benutzt, muss sich neu anmelden.
    }
sessions-end-others-now =
    { $n ->
        [one] Die andere Sitzung beenden
       *[other] { $count } Sitzungen beenden
    }
done-session-ended =
    { $n ->
        [0] Es gab keine andere Sitzung.
        [one] Die Sitzung ist beendet.
       *[other] { $count } Sitzungen sind beendet.
    }
agent-on = { $program } unter { $system }
agent-unknown = Unbekanntes Programm

# Die ersten Schritte.
start = Erste Schritte
start-says = In vier Schritten von der leeren Installation zu einer Nachricht, die alle bekommen.
start-done = Erledigt
start-next = Als Nächstes
start-profile-title = Sehen Sie Ihr Profil an
start-profile-text = Ihr Name steht unter den Nachrichten, die Sie senden. Geben Sie auch eine E-Mail-Adresse an und wählen Sie Ihre Sprache.
start-profile-do = Profil öffnen
start-people-title = Bringen Sie Menschen herein
start-people-text = Importieren Sie eine Datei mit Benutzern, Gruppen und ihren Rollen, oder legen Sie einen ersten Benutzer von Hand an.
start-people-import = Datei importieren
start-people-create = Benutzer anlegen
start-try-title = Probieren Sie es aus: eine Nachricht an Sie selbst
start-try-text = Dies sendet eine echte Nachricht, nur an Sie. Danach zeigt Ihre Glocke sie an.
start-try-title-label = Titel
start-try-text-label = Text
start-try-message-title = Es läutet zum ersten Mal
start-try-message-text = So sieht eine Nachricht für alle aus, die sie bekommen.
start-try-do = An mich selbst senden
start-send-title = Senden Sie an alle
start-send-text = Schreiben Sie an alle Menschen oder an die, die eine Rolle haben, zu einem Kunden gehören oder eine API nutzen. Vor dem Senden sehen Sie, wie viele es sind.
start-send-do = Nachricht schreiben
done-tried = Gesendet. Drücken Sie oben auf die Glocke, um sie zu lesen.
