# Announcements: at the top of every page, for the users of a customer or of all.
announcements = Ankündigungen
announcement = Nachricht
announcements-intro = Steht oben auf jeder Seite für die Benutzer eines Kunden, solange der Zeitraum offen ist.
new-announcement = Neue Ankündigung
announcements-now = Jetzt
announcements-coming = Kommende
announcements-past = Vergangene
announcements-off = Aus
all-customers = Alle Kunden
all-customers-hint = alle aktiven Benutzer der Plattform
one-customer = Ein Kunde
customer = Kunde
with-sub-customers = mit Unterkunden
below-included = Inbegriffen
below-not-included = Nein
active-time-period = Aktiver Zeitraum
activity = An
on = An
off = Aus
announcement-from = von { $what }
announcement-recalled = Gelöscht
announcement-expired = Beendet
announcement-missed = Verpasst
acknowledged-of = { $some } von { $all } bestätigt
period-between = { $from } – { $to }
period-from = ab { $what }, ohne Ende
edit = Bearbeiten
copy-announcement = Kopieren
delete-for-all = Löschen
switch-what = Angezeigt: { $what }
search-announcements = Nachricht oder Absender suchen
customer-filter = Kunde: Name oder Nummer
customer-several = Mehrere Kunden beginnen mit „{ $what }“. Wählen Sie einen mit seiner Nummer.
customer-none = Es gibt keinen Kunden „{ $what }“, dem Sie schreiben dürfen.
announcements-for = Nur für { $what }.
all-announcements = Alle Ankündigungen

no-announcements-title-now = Nichts ist angekündigt
no-announcements-text-now = Was Sie ankündigen, steht hier, solange es zu sehen ist.
no-announcements-title-coming = Nichts steht bevor
no-announcements-text-coming = Hier warten Ankündigungen, deren Zeitraum später beginnt.
no-announcements-title-past = Noch ist nichts vorbei
no-announcements-text-past = Hier bleiben Ankündigungen, deren Zeitraum vorbei ist, und lassen sich kopieren.
no-announcements-title-off = Nichts ist ausgeschaltet
no-announcements-text-off = Was Sie ausschalten, wartet hier, bis Sie es wieder einschalten.
no-announcement-chosen-title = Hier ist keine Ankündigung
no-announcement-chosen-text = Keine Ankündigung passt zu dieser Auswahl.

# The form.
edit-announcement = Ankündigung bearbeiten
edit-announcement-intro = Einen neuen Text sehen auch die wieder, die den alten ausgeblendet haben, nicht aber die, die ihn bestätigt haben: Für eine andere Zustimmung senden Sie eine neue Ankündigung. Die Glocke bleibt still, wenn Sie sie nicht läuten.
announced-by = Nachricht ist von
style = Auszeichnung
bold = Fett
italic = Kursiv
link = Link
tag-bold = fett
tag-italic = kursiv
tag-both = beides
tag-link = Link
dismissible-label = Sie darf geschlossen werden
dismissible-hint = Sonst bleibt, was kritisch ist, bis zum Ende des Zeitraums.
customer-field = Name oder Nummer des Kunden
customer-hint = Schreiben Sie den Anfang des Namens.
include-sub-customers = Mit Unterkunden
period-opens = Von
period-closes = Bis
must-acknowledge-label = Man muss bestätigen, sie gelesen zu haben
must-acknowledge-hint = Sie bleibt so lange stehen, und Sie sehen, wer bestätigt hat.
acknowledgement = Bestätigung
also-bell-label = Auch die Glocke läuten: Sie steht auch im Eingang
also-mail-label = Auch per E-Mail
also-bell = Sie läutet auch die Glocke.
also-mail = Sie geht auch per E-Mail.
also-both = Sie läutet auch die Glocke und geht auch per E-Mail.
title-optional = freiwillig
title-hint = Nötig für Glocke und E-Mail. Oben auf der Seite steht er vor der Nachricht.
save-switched-off = Ausgeschaltet speichern
announce = Ankündigen
announce-to =
    { $n ->
        [0] Niemandem ankündigen
        [one] { $count } Person ankündigen
       *[other] { $count } Personen ankündigen
    }
who-sees-it = Wer sie sieht
audience-stays = Für wen sie ist, bleibt, wie es ist.
choose-customer = Nennen Sie einen Kunden, um zu sehen, wie viele es sind.
preview-banner = oben auf jeder Seite
preview-nothing = Schreiben Sie etwas, um es hier zu sehen.
announced-to-myself = Nur für Sie angezeigt. Sie steht oben.
confirm-announce =
    { $n ->
        [0] Allen Kunden ankündigen?
        [one] Allen ankündigen, { $count } Person?
       *[other] Allen ankündigen, { $count } Personen?
    }
confirm-announce-later =
    { $n ->
        [0] Für alle Kunden planen?
        [one] Für alle planen, jetzt { $count } Person?
       *[other] Für alle planen, jetzt { $count } Personen?
    }
confirm-announce-off =
    { $n ->
        [0] Für alle Kunden ausgeschaltet speichern?
        [one] Für alle, { $count } Person, ausgeschaltet speichern?
       *[other] Für alle, { $count } Personen, ausgeschaltet speichern?
    }
done-announced = Angekündigt. Sie ist jetzt zu sehen.
done-announcement-scheduled = Geplant. Sie ist zu sehen, wenn ihr Zeitraum beginnt.
done-announcement-off = Ausgeschaltet gespeichert. Niemand sieht sie, bis Sie sie einschalten.
done-announcement-saved = Gespeichert.
done-switched-on = Eingeschaltet.
done-switched-off = Ausgeschaltet. Niemand sieht sie, und sie wartet hier.
done-announcement-deleted = Gelöscht. Sie ist für alle weg.

delete-announcement = Diese Ankündigung löschen?
delete-announcement-text =
    { $n ->
        [0] Sie ist für alle weg: oben auf den Seiten, von der Glocke und aus dem Eingang. Das lässt sich nicht zurücknehmen.
        [one] Sie ist für alle weg, { $count } Person: oben auf den Seiten, von der Glocke und aus dem Eingang. Das lässt sich nicht zurücknehmen.
       *[other] Sie ist für alle weg, { $count } Personen: oben auf den Seiten, von der Glocke und aus dem Eingang. Das lässt sich nicht zurücknehmen.
    }
delete-announcement-unsent = Niemand hat sie gesehen, und niemand wird sie sehen. Das lässt sich nicht zurücknehmen.

# A year.
year-view = Jahr
announcements-of-year = Ankündigungen { $what }
year-intro = Eine Zeile für jede Ankündigung. Was untereinander steht, ist zur selben Zeit zu sehen.
years = Jahre
year-empty-title = Nichts in diesem Jahr
year-empty-text = Im Jahr { $what } ist keine Ankündigung zu sehen.
year-today = Heute, { $what }
at-the-same-time =
    { $n ->
        [one] Zur selben Zeit wie { $count } andere.
       *[other] Zur selben Zeit wie { $count } andere.
    }
acknowledged-earlier = ein früherer Text
