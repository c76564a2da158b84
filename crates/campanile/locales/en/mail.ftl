# What a mail says besides the message itself.
mail-high = Important
mail-critical = Critical
mail-from = From { $what }
mail-open = Open in { $what }
mail-why = You receive this mail because this message of { $what } is addressed to you.
mail-why-critical = You receive this mail because this critical message of { $what } is addressed to you.
mail-unsubscribe = Unsubscribe from mail of { $what } that is not critical
mail-reminder = Reminder: { $what }
