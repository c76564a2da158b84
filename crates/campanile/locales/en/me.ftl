# Texts of the pages of me.
