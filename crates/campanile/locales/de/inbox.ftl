# Der Eingang und die Mitteilungen unter der Glocke.
inbox-unread =
    { $n ->
        [0] Nichts ungelesen.
        [one] { $count } ungelesene Nachricht.
       *[other] { $count } ungelesene Nachrichten.
    }
read-all = Alle als gelesen markieren
search-inbox = Im Eingang suchen
tab-inbox = Alle
tab-unread =
    { $n ->
        [0] Ungelesen
       *[other] Ungelesen { $count }
    }
tab-archived = Archiv
tab-banners = Ankündigungen
tab-past = Abgelaufen
unread = Ungelesen
edited = bearbeitet
edited-at = bearbeitet { $what }
closes-at = bis { $what }
closed-at = abgelaufen { $what }
chosen = Mit den ausgewählten:
choose-message = „{ $what }“ auswählen
mark-read = Als gelesen markieren
mark-read-what = „{ $what }“ als gelesen markieren
mark-unread = Als ungelesen markieren
mark-unread-what = „{ $what }“ als ungelesen markieren
archive = Archivieren
archive-what = „{ $what }“ archivieren
unarchive = Zurückholen
unarchive-what = „{ $what }“ aus dem Archiv zurückholen
delete = Löschen
delete-what = „{ $what }“ für mich löschen
open-inbox = Eingang öffnen

empty-inbox-title = Keine Nachrichten
empty-inbox-text = Nachrichten an Sie erscheinen hier und unter der Glocke.
empty-unread-title = Alles gelesen
empty-unread-text = Sie haben alles gelesen, was an Sie ging.
empty-archived-title = Das Archiv ist leer
empty-archived-text = Was Sie archivieren, verlässt den Eingang und bleibt hier.
empty-banners-title = Zurzeit keine Ankündigungen
empty-banners-text = Was oben auf jeder Seite angekündigt wird, steht hier, solange es gilt, ausgeblendet oder nicht.
empty-past-title = Nichts abgelaufen
empty-past-text = Eine Nachricht, deren Zeit abgelaufen ist, steht danach hier.
empty-found-title = Nichts gefunden
empty-found-text = Hier passt keine Nachricht. Versuchen Sie andere Wörter oder einen anderen Reiter.

done-read =
    { $n ->
        [one] Als gelesen markiert.
       *[other] { $count } Nachrichten als gelesen markiert.
    }
done-unread =
    { $n ->
        [one] Als ungelesen markiert.
       *[other] { $count } Nachrichten als ungelesen markiert.
    }
done-archived =
    { $n ->
        [one] Archiviert.
       *[other] { $count } Nachrichten archiviert.
    }
done-unarchived =
    { $n ->
        [one] Wieder im Eingang.
       *[other] { $count } Nachrichten sind wieder im Eingang.
    }
done-deleted =
    { $n ->
        [one] Für Sie gelöscht.
       *[other] { $count } Nachrichten für Sie gelöscht.
    }
done-restored =
    { $n ->
        [one] Wiederhergestellt.
       *[other] { $count } Nachrichten wiederhergestellt.
    }
done-read-all = Alles ist als gelesen markiert.

empty-so-far-title = Bisher nichts
empty-so-far-text = Viele Nachrichten wurden durchgesehen, und noch passt keine. Ältere wurden noch nicht angesehen.
chosen-n = {"{"}n{"}"} ausgewählt
choose-all = Alle auf dieser Seite auswählen
done-gone =
    { $n ->
        [one] Die Nachricht ist nicht mehr da: Sie wurde zurückgerufen oder gelöscht.
       *[other] { $count } Nachrichten sind nicht mehr da: Sie wurden zurückgerufen oder gelöscht.
    }

# Was oben auf jeder Seite steht.
banners = Ankündigungen
banners-more =
    { $n ->
        [one] Eine weitere Ankündigung
       *[other] { $count } weitere Ankündigungen
    }
banner-whole = Ganz lesen
dismiss = Ausblenden
dismiss-what = „{ $what }“ ausblenden
acknowledge = Ich habe es gelesen
acknowledge-asked = Der Absender bittet Sie zu bestätigen, dass Sie dies gelesen haben.
acknowledged = Sie haben bestätigt, dass Sie dies gelesen haben.
to-acknowledge = Zu bestätigen
done-dismissed = Ausgeblendet.
done-banner-asks = Dieses Banner bleibt stehen, bis Sie die Nachricht bestätigen.
done-banner-stays = Dieses Banner bleibt stehen, bis seine Zeit vorbei ist.
done-banner-corrected = Die Ankündigung wurde inzwischen berichtigt, deshalb bleibt ihr Banner stehen.
done-shown = Es steht wieder oben.
done-acknowledged = Bestätigt: Sie haben es gelesen.
