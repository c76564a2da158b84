# Was jede Seite hat.
skip = Zum Inhalt springen
nav = Hauptmenü
inbox = Eingang
messages = Nachrichten
apis = APIs
directory = Verzeichnis
environment = Umgebung
switch = Wechseln
profile = Profil
tokens = Persönliche Tokens
sessions = Sitzungen
api-docs = API-Referenz
log-out = Abmelden
signed-in-as = Angemeldet als { $what }
undo = Rückgängig
close = Schließen
cancel = Abbrechen
back = Zurück
search = Suchen
search-too-long = Suchen Sie nach höchstens { $count } Zeichen.
pages = Seiten
older = Ältere zeigen
more = Mehr zeigen

bell = Mitteilungen
bell-unread =
    { $n ->
        [0] Mitteilungen, keine ungelesen
       *[other] Mitteilungen, { $count } ungelesen
    }
bell-some = Mitteilungen, {"{"}n{"}"} ungelesen

environments-all = Alle Umgebungen
bell-unseen =
    { $n ->
       *[other] Mitteilungen, { $count } ungelesen, darunter neue
    }
bell-new = Mitteilungen, {"{"}n{"}"} ungelesen, darunter neue
bell-more = Eine neue Nachricht. {"{"}n{"}"} ungelesen.
bell-many = {"{"}n{"}"} neue Nachrichten

importance = Wichtigkeit
importance-any = Jede Wichtigkeit
importance-low = Niedrig
importance-high = Hoch
importance-critical = Kritisch

time-full = { $day }. { time-month } { $year }, { $time }
time-day = { $day }. { time-month }
time-day-year = { $day }. { time-month } { $year }
time-month =
    { $month ->
        [1] Jan.
        [2] Feb.
        [3] März
        [4] Apr.
        [5] Mai
        [6] Juni
        [7] Juli
        [8] Aug.
        [9] Sep.
        [10] Okt.
        [11] Nov.
       *[12] Dez.
    }
time-far = weit entfernt
time-now = jetzt
time-minutes = { $count } Min.
time-hours = { $count } Std.

log-in = Anmelden
login = Anmeldename
password = Passwort
login-wrong = Anmeldename oder Passwort ist falsch. Beim Passwort zählt die Groß- und Kleinschreibung.
login-throttled =
    { $n ->
        [one] Zu viele Fehlversuche. Versuchen Sie es in { $count } Sekunde erneut.
       *[other] Zu viele Fehlversuche. Versuchen Sie es in { $count } Sekunden erneut.
    }
login-left = Sie sind abgemeldet.
login-help = Passwort vergessen? Eine Administratorin oder ein Administrator kann Ihnen ein neues geben.

session-over = Ihre Sitzung ist beendet. Was auf dieser Seite steht, bleibt; melden Sie sich erneut an, um fortzufahren.
log-in-elsewhere = In einem anderen Tab anmelden
panel-away = Der Server ist nicht erreichbar. Versuchen Sie es gleich noch einmal.
again-text = Ihre Sitzung war beendet, bevor dies ankam, deshalb ist nichts geschehen. Was Sie eingegeben haben, steht noch auf dieser Seite: Melden Sie sich in einem anderen Tab an, kommen Sie hierher zurück und senden Sie es erneut. Passwörter werden nicht aufbewahrt.
again-send = Erneut senden

problem-malformed = Diese Anfrage ist unverständlich
problem-invalid = Etwas stimmt noch nicht
problem-unauthenticated = Sie sind nicht angemeldet
problem-denied = Das dürfen Sie nicht
problem-cross-site = Das kam von einer anderen Website
problem-missing = Hier ist nichts
problem-missing-text = Diese Seite gibt es nicht, oder sie ist nicht für Sie.
problem-method = Diese Adresse funktioniert anders
problem-slow-request = Die Anfrage kam nicht rechtzeitig an
problem-conflict = Das geht gerade nicht
problem-too-large = Das ist zu groß
problem-media-type = Dieses Format wird nicht verstanden
problem-throttled = Zu viele Versuche
problem-internal = Bei uns ist etwas schiefgegangen
problem-unavailable = Im Moment nicht verfügbar
problem-timeout = Das hat zu lange gedauert
problem-request = Anfrage { $what }: unter diesem Namen steht sie im Protokoll des Servers.
problem-home = Zur Startseite
