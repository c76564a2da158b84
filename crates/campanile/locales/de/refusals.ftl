# Was die Regeln sagen. Der Schlüssel ist der englische Text, mit n und m für Zahlen.
is-longer-than-n-characters = ist länger als { $n } Zeichen
is-empty = ist leer
