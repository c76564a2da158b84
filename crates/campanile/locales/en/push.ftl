# What a push message says besides the message itself.
push-more = Unread messages: { $what }
push-recalled = A message was taken back
