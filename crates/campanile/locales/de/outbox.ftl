# Was das Haus als E-Mail und HTTP-POST verlässt.

# Auf der Seite einer Nachricht.
way = Unterwegs
way-refresh = Aktualisieren
way-waits = Sie geht hinaus, sobald die Nachricht veröffentlicht ist.
way-ended = Es ist nichts mehr unterwegs.
way-see-email = Alle Empfänger ansehen
way-see-http = Alle Ziele ansehen
run-listing = Beginnt
run-sending = Läuft
run-held = Angehalten
run-ended = Fertig
run-ended-failed = Fertig, { $count } gescheitert
run-cancelling = Wird zurückgenommen
run-cancelled = Zurückgenommen
run-off = E-Mail war aus
run-listing-says = Die Empfänger werden zusammengestellt.
run-held-says = Angehalten: Die Nachricht ist ausgeschaltet, oder sie war unterwegs, als die Datenbank aus einer Sicherung wiederhergestellt wurde. Bis jemand sie freigibt, geht nichts hinaus.
run-off-says = Auf diesem Server war E-Mail aus, als die Nachricht gesendet wurde: Niemand bekam eine Mail, und niemand bekommt noch eine.
relay-waits = Die E-Mails warten auf das Mail-Relay: { $why }. Seit { $since }; nächster Versuch { $next }.
run-nobody = Es gab niemanden, an den sie gehen konnte.
run-through = { $through } von { $all } erledigt
standing-all = Alle
standing-queued = Wartet
standing-retrying = davon erneut versucht
standing-sent = Gesendet
standing-failed = Gescheitert
standing-suppressed = Gesperrt
standing-gone = Nicht mehr da
standing-cancelled = Zurückgenommen
standing-in-doubt = Ungewiss

# Zustellungen.
deliveries = Zustellungen
deliveries-what = Wer sie bekommen hat, wer nicht, und warum.
deliveries-none-title = Nichts hat das Haus verlassen
deliveries-none-text = Diese Nachricht wurde weder als E-Mail noch als HTTP-POST gesendet.
deliveries-nobody-title = Niemand in dieser Liste
deliveries-nobody-text = Zurzeit hat kein Empfänger diesen Stand.
deliveries-not-found = Kein Eintrag beginnt mit dem gesuchten Text.
search-deliveries-email = Name oder Anmeldename
search-deliveries-http = Name oder URL
channel = Gesendet als
standing = Stand
reason = Grund
since-when = Seit
download-csv = Als CSV herunterladen
delivery-queued = Wartet
delivery-retrying = Neuer Versuch folgt
delivery-sending = Wird gesendet
delivery-sent = Gesendet
delivery-failed = Gescheitert
delivery-suppressed = Gesperrt
delivery-gone = Nicht mehr da
delivery-cancelled = Zurückgenommen
attempts =
    { $n ->
        [one] { $count } Versuch
       *[other] { $count } Versuche
    }
attempts-so-far = Bisherige Versuche
attempts-title = Was versucht wurde
attempts-none = Noch wurde nichts versucht.
attempt-took = dauerte { $count } ms
attempt-code = Antwort { $what }
next-try = nächster Versuch { $what }
next-try-at = Nächster Versuch
in-doubt-says = Bei diesen Versuchen weiß niemand, ob sie angekommen sind; sie wurden mit derselben Kennung wiederholt.
outcome-sent = Gesendet
outcome-again = Noch nicht
outcome-failed = Gescheitert
outcome-in-doubt = Ungewiss
outcome-trouble = Störung unterwegs
outcome-bounced = Zurückgekommen

# Noch einmal senden, zurücknehmen.
again-all = Gescheiterte noch einmal senden
again-one = Noch einmal senden
again-title =
    { $n ->
        [one] { $count } gescheiterte Zustellung noch einmal senden?
       *[other] { $count } gescheiterte Zustellungen noch einmal senden?
    }
again-text-email = Jede bekommt wieder alle Versuche. Gesperrte Adressen bekommen weiterhin keine E-Mail.
again-text-http = Jede bekommt wieder alle Versuche, mit derselben Kennung: Ein Empfänger, der die Kennung kennt, bemerkt die Wiederholung.
again-keep = So lassen
again-button =
    { $n ->
        [one] { $count } noch einmal senden
       *[other] { $count } noch einmal senden
    }
done-sent-again =
    { $n ->
        [one] { $count } Zustellung ist wieder unterwegs.
       *[other] { $count } Zustellungen sind wieder unterwegs.
    }
take-back = Zurücknehmen, was noch wartet
take-back-title =
    { $n ->
        [0] Zurücknehmen, was noch wartet?
        [one] { $count } wartende Zustellung zurücknehmen?
       *[other] { $count } wartende Zustellungen zurücknehmen?
    }
take-back-text-email = Gesendete E-Mails bleiben gesendet. Die übrigen lassen sich später nicht mehr senden. Im Portal bleibt die Nachricht, wie sie ist.
take-back-text-http = Was gesendet ist, bleibt gesendet. Der Rest lässt sich später nicht mehr senden. Im Portal bleibt die Nachricht, wie sie ist.
take-back-keep = Weiterlaufen lassen
done-taken-back = Was noch wartete, ist zurückgenommen.

# Gespeicherte Ziele.
endpoints = Gespeicherte Ziele
endpoints-what = Wohin Nachrichten gesendet werden, und wie es dort läuft.
endpoints-none-title = Keine gespeicherten Ziele
endpoints-none-text = Speichern Sie, wohin Nachrichten gesendet werden; dann müssen Sie es nicht jedes Mal eingeben.
endpoint-new = Neues Ziel
endpoint-change-title = { $what } ändern
endpoint-change = Ändern
endpoint-save = Speichern
endpoint-name = Name
endpoint-for = Für
endpoint-of-api = Nachrichten der API { $what }
endpoint-of-environment = Nachrichten der Umgebung { $what }
endpoint-api = Nur für eine API
endpoint-api-hint = Ihre ID. Leer gilt es für alle Nachrichten der Umgebung.
endpoint-headers = Header
endpoint-headers-kept = Gespeichert und nicht angezeigt: { $what }
endpoint-headers-replace = Alle durch die folgenden ersetzen
endpoint-header = Name
endpoint-value = Wert
endpoint-header-name = Name des Headers { $count }
endpoint-header-value = Wert des Headers { $count }
endpoint-more-headers = Mehr Zeilen
endpoint-proxy = System-Proxy
proxy-usual = Wie am Server eingestellt
proxy-yes = Ja
proxy-no = Nein
endpoint-sign = Signatur
sign-new = Mit einem neuen Geheimnis signieren
sign-own = Mit einem eigenen Geheimnis signieren
sign-no = Nicht signieren
endpoint-own-secret = Eigenes Geheimnis
endpoint-signed = Signiert
old-secret-until = Das vorige Geheimnis signiert noch bis { $what }.
endpoint-well = In Ordnung
endpoint-failing = Scheitert
endpoint-unused = Noch nicht benutzt
endpoint-paused = Angehalten
endpoint-off = Abgeschaltet
endpoint-paused-says = Was dorthin soll, wartet, bis das Ziel fortgesetzt wird.
endpoint-off-says = Der Server hat das Ziel abgeschaltet, weil es tagelang scheiterte oder keine Nachrichten mehr will. Was dorthin soll, wartet, bis es fortgesetzt wird.
endpoint-locked = Die Header lassen sich nicht öffnen, weil der Schlüssel der Installation ein anderer ist. Geben Sie sie neu ein.
endpoint-health = Zustand
last-success = Letzter Erfolg
last-failure = Letzter Fehlschlag
no-success = Noch kein Erfolg
failing-since = Scheitert seit { $what }
failing-since-label = Scheitert seit
endpoint-test = Test senden
endpoint-pause = Anhalten
endpoint-resume = Fortsetzen
endpoint-remove = Entfernen
endpoint-remove-title = { $what } entfernen?
endpoint-remove-text = Was dafür wartet, scheitert. Header und Geheimnis werden vergessen. Das lässt sich nicht rückgängig machen.
endpoint-rotate = Anderes Geheimnis
endpoint-rotate-says = Das neue Geheimnis wird einmal angezeigt. Bis die folgende Zeit vorbei ist, signieren beide.
endpoint-grace = Stunden, in denen auch das vorige Geheimnis signiert
endpoint-rotate-now = Neues Geheimnis erzeugen
endpoint-secret = Geheimnis
endpoint-secret-made = Hier ist das Geheimnis
endpoint-secret-says = Kopieren Sie es jetzt: Es wird nicht noch einmal angezeigt. Der Empfänger prüft damit die Signaturen.
done-endpoint-made = Gespeichert.
done-endpoint-changed = Gespeichert.
done-endpoint-paused = Angehalten. Was dorthin soll, wartet.
done-endpoint-resumed = Fortgesetzt. Was wartete, geht jetzt hinaus.
done-endpoint-tested = Der Test ist unterwegs.
done-endpoint-removed = Entfernt.

# Adressen, die keine E-Mail bekommen.
suppressions = Gesperrte Adressen
suppressions-what = Adressen, die keine E-Mail bekommen.
suppressions-search = Anfang einer Adresse
suppressions-none-title = Keine gesperrten Adressen
suppressions-none-text = Hier stehen Adressen, deren E-Mails zurückkommen, und solche, die Sie hinzufügen.
suppressions-not-found = Keine Adresse beginnt mit dem gesuchten Text.
suppress-title = Adresse hinzufügen
suppress-address = Adresse
suppress = Hinzufügen
suppressed-until = bis { $what }
source-bounced = Zurückgekommen
source-complained = Beschwerde
source-added = Von Hand
source-unsubscribed = Abbestellt
unsuppress = Entfernen
unsuppress-title = Soll { $what } wieder E-Mails bekommen?
unsuppress-text = Nur dieser Grund wird entfernt. Nimmt die Adresse weiterhin keine E-Mails an, steht sie bald wieder hier.
done-suppressed = Die Adresse bekommt keine E-Mails mehr.
done-unsuppressed = Die Adresse ist nicht mehr gesperrt.
