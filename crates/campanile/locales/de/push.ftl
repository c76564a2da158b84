# Was eine Push-Nachricht neben der Nachricht selbst sagt.
push-more = Ungelesene Nachrichten: { $what }
push-recalled = Eine Nachricht wurde zurückgenommen
