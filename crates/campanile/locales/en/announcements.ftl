# Announcements: at the top of every page, for the users of a customer or of all.
announcements = Announcements
announcement = Message
announcements-intro = Shown at the top of every page to the users of a customer while their time period is open.
new-announcement = New announcement
announcements-now = Now
announcements-coming = Coming
announcements-past = Past
announcements-off = Off
all-customers = All customers
all-customers-hint = every active user of the platform
one-customer = One customer
customer = Customer
with-sub-customers = with sub-customers
below-included = Included
below-not-included = No
active-time-period = Active time period
activity = On
on = On
off = Off
announcement-from = from { $what }
announcement-recalled = Deleted
announcement-expired = Ended
announcement-missed = Missed
acknowledged-of = { $some } of { $all } acknowledged
period-between = { $from } – { $to }
period-from = from { $what }, no end
edit = Edit
copy-announcement = Copy
delete-for-all = Delete
switch-what = Shown: { $what }
search-announcements = Search message or sender
customer-filter = Customer: name or number
customer-several = Several customers begin with “{ $what }”. Choose one by its number.
customer-none = There is no customer “{ $what }” that you may write to.
announcements-for = For { $what } only.
all-announcements = All announcements

no-announcements-title-now = Nothing is announced
no-announcements-text-now = What you announce stands here while people see it.
no-announcements-title-coming = Nothing is to come
no-announcements-text-coming = Announcements whose time period opens later wait here.
no-announcements-title-past = Nothing is over yet
no-announcements-text-past = Announcements stay here when their time period has ended, to be copied.
no-announcements-title-off = Nothing is switched off
no-announcements-text-off = What you switch off waits here until you switch it on again.
no-announcement-chosen-title = No announcement here
no-announcement-chosen-text = No announcement matches this choice.

# The form.
edit-announcement = Edit announcement
edit-announcement-intro = A new text is shown again to those who have dismissed the old one, and not to those who have confirmed it: for another agreement send another announcement. The bell stays silent unless you ring it.
announced-by = Message is from
style = Style
bold = Bold
italic = Italic
link = Link
tag-bold = bold
tag-italic = italic
tag-both = both
tag-link = link
dismissible-label = It may be dismissed
dismissible-hint = Otherwise what is critical stays until its time period ends.
customer-field = Name or number of the customer
customer-hint = Type the beginning of its name.
include-sub-customers = Include sub-customers
period-opens = From
period-closes = To
must-acknowledge-label = People must confirm that they have read it
must-acknowledge-hint = It stays until they do, and you see who has.
acknowledgement = Confirmation
also-bell-label = Also ring the bell: it is in the inbox too
also-mail-label = Also by mail
also-bell = It rings the bell too.
also-mail = It goes by mail too.
also-both = It rings the bell and goes by mail too.
title-optional = optional
title-hint = Needed for bell and mail. A banner shows it before the message.
save-switched-off = Save, switched off
announce = Announce
announce-to =
    { $n ->
        [0] Announce to nobody
        [one] Announce to { $count } person
       *[other] Announce to { $count } people
    }
who-sees-it = Who sees it
audience-stays = For whom it is stays as it is.
choose-customer = Name a customer to see how many people there are.
preview-banner = at the top of every page
preview-nothing = Write something to see it here.
announced-to-myself = Shown to you alone. It stands at the top.
confirm-announce =
    { $n ->
        [0] Announce to all customers?
        [one] Announce to everybody, { $count } person?
       *[other] Announce to everybody, { $count } people?
    }
confirm-announce-later =
    { $n ->
        [0] Schedule for all customers?
        [one] Schedule for everybody, { $count } person now?
       *[other] Schedule for everybody, { $count } people now?
    }
confirm-announce-off =
    { $n ->
        [0] Save for all customers, switched off?
        [one] Save for everybody, { $count } person, switched off?
       *[other] Save for everybody, { $count } people, switched off?
    }
done-announced = Announced. It is shown now.
done-announcement-scheduled = Scheduled. It is shown when its time period opens.
done-announcement-off = Saved, switched off. Nobody sees it until you switch it on.
done-announcement-saved = Saved.
done-switched-on = Switched on.
done-switched-off = Switched off. Nobody sees it, and it waits here.
done-announcement-deleted = Deleted. It is gone for everybody.

delete-announcement = Delete this announcement?
delete-announcement-text =
    { $n ->
        [0] It is gone for everybody, from the top of pages, bell and inbox. This cannot be undone.
        [one] It is gone for everybody, { $count } person: from the top of pages, bell and inbox. This cannot be undone.
       *[other] It is gone for everybody, { $count } people: from the top of pages, bell and inbox. This cannot be undone.
    }
delete-announcement-unsent = Nobody has seen it, and nobody will. This cannot be undone.

# A year.
year-view = Year
announcements-of-year = Announcements { $what }
year-intro = One line an announcement. Those that stand below one another are there at the same time.
years = Years
year-empty-title = Nothing in this year
year-empty-text = No announcement is there at any time of { $what }.
year-today = Today, { $what }
at-the-same-time =
    { $n ->
        [one] At the same time as { $count } other.
       *[other] At the same time as { $count } others.
    }
acknowledged-earlier = an earlier text
