# Was die Regeln sagen. Der Schlüssel ist der englische Text, mit n und m für Zahlen.
is-longer-than-n-characters = ist länger als { $n } Zeichen
is-empty = ist leer
# Verzeichnis.
is-needed = ist nötig
is-not-a-number = ist keine Zahl
is-not-a-time = ist keine Zeit
must-be-n-to-n = muss zwischen { $n } und { $m } liegen
must-have-n-to-n-characters-no-control-characters-and-no-blanks-at-its-ends = muss { $n } bis { $m } Zeichen haben, keine Steuerzeichen und keine Leerzeichen am Rand
must-be-one-address-such-as-ann-example-com-of-at-most-n-bytes = muss eine Adresse sein wie ann@example.com, mit höchstens { $n } Bytes
must-be-a-language-tag-such-as-en-or-pt-br-of-at-most-n-bytes = muss ein Sprachkürzel sein wie en oder pt-BR, mit höchstens { $n } Bytes
must-be-before-ending-at = muss vor „Gültig bis“ liegen
the-user-holds-this-role-there-already = Diese Rolle hat der Benutzer dort schon inne.
this-role-is-there-already = Diese Rolle gibt es schon.
a-system-role-cannot-change = Eine eingebaute Rolle kann sich nicht ändern.
must-be-api-or-application-on-a-group = muss bei einer Gruppe vom Bereich API oder APPLICATION sein
it-has-sub-customers-move-or-remove-them-first = Darunter stehen Kunden. Verschieben oder entfernen Sie diese zuerst.
users-belong-to-it-move-or-remove-them-first = Menschen gehören dazu. Verschieben oder deaktivieren Sie diese zuerst.
it-has-an-api-remove-its-apis-first = Darin ist eine API. Entfernen Sie zuerst die APIs.
it-has-an-application-remove-its-applications-first = Darin ist eine Anwendung. Entfernen Sie zuerst die Anwendungen.
the-tree-would-have-more-than-n-levels = Der Baum hätte mehr als { $n } Ebenen.
choose-a-file-first = Wählen Sie zuerst eine Datei.
you-lack-organization-admin = Ihnen fehlt: ORGANIZATION:ADMIN
you-lack-organization-user-read = Ihnen fehlt: ORGANIZATION_USER[READ]
