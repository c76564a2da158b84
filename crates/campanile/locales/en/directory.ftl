# Texts of the pages of directory.
