# Texts of the pages of messages.
