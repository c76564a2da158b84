# Was eine E-Mail außer der Nachricht selbst sagt.
mail-high = Wichtig
mail-critical = Kritisch
mail-from = Von { $what }
mail-open = In { $what } öffnen
mail-why = Sie erhalten diese E-Mail, weil diese Nachricht von { $what } an Sie gerichtet ist.
mail-why-critical = Sie erhalten diese E-Mail, weil diese kritische Nachricht von { $what } an Sie gerichtet ist.
mail-unsubscribe = E-Mails von { $what }, die nicht kritisch sind, abbestellen
mail-reminder = Erinnerung: { $what }
