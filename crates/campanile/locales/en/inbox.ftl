# The inbox and the panel under the bell.
inbox-unread =
    { $n ->
        [0] Nothing unread.
        [one] { $count } unread message.
       *[other] { $count } unread messages.
    }
read-all = Mark all read
search-inbox = Search the inbox
tab-inbox = All
tab-unread =
    { $n ->
        [0] Unread
       *[other] Unread { $count }
    }
tab-archived = Archived
tab-banners = Announcements
tab-past = Past
unread = Unread
edited = edited
edited-at = edited { $what }
closes-at = until { $what }
closed-at = ended { $what }
chosen = With the chosen:
choose-message = Choose “{ $what }”
mark-read = Mark read
mark-read-what = Mark “{ $what }” read
mark-unread = Mark unread
mark-unread-what = Mark “{ $what }” unread
archive = Archive
archive-what = Archive “{ $what }”
unarchive = Take back
unarchive-what = Take “{ $what }” back from the archive
delete = Delete
delete-what = Delete “{ $what }” for me
open-inbox = Open the inbox

empty-inbox-title = Nothing here
empty-inbox-text = Messages to you appear here and on the bell.
empty-unread-title = All read
empty-unread-text = You have read everything that was sent to you.
empty-archived-title = The archive is empty
empty-archived-text = What you archive leaves the inbox and stays here.
empty-banners-title = No announcements now
empty-banners-text = What is announced at the top of every page stands here while it lasts, dismissed or not.
empty-past-title = Nothing past
empty-past-text = A message whose time is over moves here.
empty-found-title = Nothing found
empty-found-text = No message here matches. Try other words, or another tab.

done-read =
    { $n ->
        [one] Marked read.
       *[other] { $count } messages marked read.
    }
done-unread =
    { $n ->
        [one] Marked unread.
       *[other] { $count } messages marked unread.
    }
done-archived =
    { $n ->
        [one] Archived.
       *[other] { $count } messages archived.
    }
done-unarchived =
    { $n ->
        [one] Back in the inbox.
       *[other] { $count } messages are back in the inbox.
    }
done-deleted =
    { $n ->
        [one] Deleted for you.
       *[other] { $count } messages deleted for you.
    }
done-restored =
    { $n ->
        [one] Restored.
       *[other] { $count } messages restored.
    }
done-read-all = Everything is marked read.

empty-so-far-title = Nothing so far
empty-so-far-text = Many messages were looked through, and none matches yet. Older ones have not been looked at.
chosen-n = {"{"}n{"}"} chosen
choose-all = Choose all on this page
done-gone =
    { $n ->
        [one] The message is gone: it was recalled or deleted.
       *[other] The { $count } messages are gone: they were recalled or deleted.
    }

# What stands at the top of every page.
banners = Announcements
banners-more =
    { $n ->
        [one] One more announcement
       *[other] { $count } more announcements
    }
banner-whole = Read all of it
dismiss = Dismiss
dismiss-what = Dismiss “{ $what }”
acknowledge = I have read this
acknowledge-asked = The sender asks you to confirm that you have read this.
acknowledged = You have confirmed that you read this.
to-acknowledge = To confirm
done-dismissed = Dismissed.
done-banner-asks = This banner stays until you acknowledge the message.
done-banner-stays = This banner stays until its time is over.
done-banner-corrected = The announcement was corrected meanwhile, so its banner stays.
done-shown = It stands at the top again.
done-acknowledged = Confirmed: you have read it.
