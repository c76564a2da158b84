# Texte der Seiten: me.
