# Texte der Seiten: directory.
