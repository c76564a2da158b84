# Texte der Seiten: messages.
