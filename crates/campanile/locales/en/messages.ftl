# Messages: writing, sending, looking after.
messages-intro = What was sent, to whom, and how far it got.
new-message = New message
all-messages = All messages
only-mine = Only mine
apply = Apply
none = none
yes = yes
no = no

status = Status
status-any = Any status
status-active = Active
status-scheduled = Scheduled
status-expired = Ended
status-disabled = Switched off
status-recalled = Recalled
status-missed = Missed

figure-people = People
figure-seen = Seen
figure-read = Read
to-audience = To { $what }
opens-at = from { $what }
waits-disabled = It is switched off and waits to be switched on.

no-messages-title = No messages yet
no-messages-text = What you send appears here, with how far it got.
api-not-yours-title = The messages of this API are not yours to see
api-not-yours-text = You need the right to read or send messages of this API.
no-api-messages-text = Messages to the consumers of this API appear here.
none-chosen-title = No message here
none-chosen-text = No message matches this choice.
none-so-far-title = None so far
none-so-far-text = There is none among the newest. Older ones may follow.

# APIs.
apis-intro = Write to the consumers of an API.
search-apis = Search APIs by name or id
no-apis-title = No APIs
no-apis-text = There is no API whose consumers you may write to.
no-apis-found-title = Nothing found
no-apis-found-text = No API begins like this.
apis-more = There are others. Search for the beginning of a name.
in-environment = Environment { $what }
api-subscribers =
    { $n ->
        [one] { $count } subscriber
       *[other] { $count } subscribers
    }
in-directory = In the directory

# Parts of an audience.
part-role = { $role } in { $what }
part-api-role = { $role } of applications subscribed to { $what }
part-subscribers = subscribers of { $what }
part-subscribed = all who subscribed to { $what }, valid or not
part-customer = { $what }, without sub-customers
part-subtree = { $what } with sub-customers
part-everyone = everyone
part-group = group { $what }
part-user = { $what }
audience-more =
    { $n ->
        [one] { $count } other
       *[other] { $count } others
    }
audience-and = { $first } and { $last }
audience-none = nobody
audience-post = HTTP destinations
audience-reminded = those who had not acknowledged it
reminded-of = Those who had not acknowledged this message
audience-nobody = Nobody
found-role = role
found-api-role = role
found-subscribers = API
found-subscribed = API
found-customer = customer
found-subtree = customer
found-everyone = everyone
found-group = all its members
found-user = person

# The form.
compose-intro = To people on this platform. For the consumers of one API, start from the API.
compose-intro-api = To consumers of { $what } with a valid subscription.
send-as = Send as
channel-portal = Portal notification
channel-banner = Banner at the top of every page
channel-email = Email
channel-http = POST HTTP message
email-off = Email is off: no mail relay is configured.
http-off = POST HTTP is off on this server.
recipients = Recipients
roles-environment = ENVIRONMENT role
roles-application = APPLICATION role
choice-subscribers = API subscribers
choice-hint-role = in { $what }
choice-hint-api-role = of applications subscribed to this API
choice-hint-subscribers = who made a valid subscription
choice-hint-everyone = every active user of the platform
choice-hint-customer = its own users alone
choice-hint-subtree = its users and those of every customer below
others = Others
others-placeholder = Customer, group, person or API
find = Find
nothing-found = Nothing begins like this.
recipients-hint = Whoever matches at least one of these gets it, once.
remove = Remove { $what }
# {what} is filled in by a script.
remove-what = Remove {"{"}what{"}"}
message-title = Title
message-text = Text
text-hint = **bold**, *italic*, [link](https://…), lists with - or 1. It reads the same everywhere.
message-from = From
window-and-late = Time and late joiners
publish-at = Publish at
publish-at-hint = Empty: at once.
show-until = Show until
show-until-hint = Empty: no end.
message-opens = Publish at
message-closes = Show until
message-enabled = Switched on
not-counted = Not counted: the server could not be reached.
show-roles = Show its roles
more-roles = There are more roles. Find them by their names.
other-roles = Other roles
other-roles-placeholder = Beginning of a role
publish-passed = This time has passed: it is sent at once.
at-once = at once
no-end = no end
times-are-in = Times are in { $what }.
late-joiners = Who joins later
late-at-send = Only people who match when it is published get it.
late-while-active = Whoever matches while it is shown gets it too.
form-refused = It was not sent or changed. Please mend what is marked.
count = Count
send = Send
send-to =
    { $n ->
        [0] Send to nobody
        [one] Send to { $count } person
       *[other] Send to { $count } people
    }
send-to-myself = Send to myself
sent-to-myself = Sent to you alone. It is on your bell.
schedule = Schedule

who-gets-it = Who gets it
exact = exact
people-now =
    { $n ->
        [one] person, counted just now
       *[other] people, counted just now
    }
have-no-email = have no email address
among-them = Among them: { $what }
nobody-matches = Nobody matches at the moment.
choose-recipients = Choose recipients to see how many there are.
preview = Preview
preview-bell = on the bell
preview-opened = Opened, from { $what }
preview-untitled = Title

# Why is someone missing?
why-missing = Why is someone missing?
why-placeholder = Login or id
ask = Ask
why-nobody = Nobody you may ask about is called “{ $what }”.
why-in = { $what } gets it.
why-out = { $what } does not get it.
why-part = { $part }: { $why }
why-holds-role = has held the role since { $what }.
why-holds-api-role = has held the role in an application with a valid subscription since { $what }.
why-holds-subscribers = has had a valid subscription since { $what }.
why-holds-subscribed = has a subscription, valid or not, since { $what }.
why-holds-customer = has belonged to the customer since { $what }.
why-holds-subtree = has belonged to the customer or one below it since { $what }.
why-holds-everyone = has been an active user since { $what }.
why-holds-group = has been a member of the group since { $what }.
why-holds-user = is named here.
why-deactivated = is deactivated.
why-later = the subscription starts only at { $what }.
why-over = the subscription ended at { $what }.
why-nearly = holds the role, but the application’s subscription has the status “{ $what }”.
why-made = made a subscription, but it has the status “{ $what }”.
why-no-longer = no longer; until { $what }.
why-never-role = has never held this role in this environment.
why-never-api-role = holds this role in no application that subscribes to this API. Groups do not lend PRIMARY_OWNER.
why-never-subscribers = has made no valid subscription to this API.
why-never-subscribed = has made no subscription to this API.
why-never-customer = does not belong to this customer.
why-never-subtree = belongs neither to this customer nor to one below it.
why-never-everyone = is deactivated.
why-never-group = is not a member of this group.
why-never-user = is somebody else.

# The question before it is sent.
confirm-send =
    { $n ->
        [0] Send to nobody?
        [one] Send to { $count } person?
       *[other] Send to { $count } people?
    }
confirm-schedule =
    { $n ->
        [0] Schedule for nobody?
        [one] Schedule for { $count } person?
       *[other] Schedule for { $count } people?
    }
confirm-nobody = Nobody matches now. Who joins later gets it only if you say so under “Time and late joiners”.
back-to-edit = Back to the form
done-sent = Sent.
done-scheduled = Scheduled.

# One message.
how-far = How far it got
see-people = See people
funnel-audience = Audience
funnel-seen = Seen
funnel-read = Read
waits-until = It waits. From { $what } its audience sees it.
seen-by-nobody = Nobody has seen it yet.
never-shown = Nobody has seen it: its time passed before it was published.
over-time = Seen and read over time
over-span = over { $what }
plot-desc = Two lines over { $what }: how many people had seen the message, and how many had read it. The numbers are in the table below.
as-a-table = As a table
until-then = Until
span-minutes =
    { $n ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
span-hours =
    { $n ->
        [one] { $count } hour
       *[other] { $count } hours
    }
span-days =
    { $n ->
        [one] { $count } day
       *[other] { $count } days
    }
without-email = No email address
details = Details
written-by = Written by

# Its people.
people = People
people-found =
    { $n ->
        [one] { $count } person
       *[other] { $count } people
    }
search-people = Search by login or name
people-all = All
people-unseen = Not seen
people-seen = Seen
people-read = Read
people-none-title = Nobody
people-none-text = There is nobody in this part of the audience.
people-none-found = Nobody in this part of the audience matches.
person = Person
person-inactive = deactivated
person-no-email = no email address
not-yet = not yet

# Its changes.
changes = Changes
changes-intro = Every change since it was written, newest first.
no-changes-title = Never changed
no-changes-text = It is as it was written.
change-corrected = Corrected
change-recalled = Recalled
change-opened = Published
change-missed = Missed its time
change-enabled = Switched on
change-disabled = Switched off
change-readdressed = Other recipients
rang-again = rang again

# Correct and recall.
correct = Correct
correct-message = Correct the message
correct-intro = Readers see the new text, marked as edited. The bell stays silent unless you ring it.
correct-intro-post = It is posted with the new text.
enabled-label = Switched on: its audience sees it.
ring-label = Ring the bell again: it becomes unread for everybody.
save-correction = Save correction
done-corrected = Corrected.
recall = Recall
recall-from =
    { $n ->
        [0] Recall the message?
        [one] Recall it from { $count } person?
       *[other] Recall it from { $count } people?
    }
recall-text =
    { $n ->
        [0] It disappears from every bell and inbox. Nobody has read it. This cannot be undone.
        [one] It disappears from every bell and inbox. { $count } person has read it already. This cannot be undone.
       *[other] It disappears from every bell and inbox. { $count } people have read it already. This cannot be undone.
    }
recall-post = Recall what has not left?
recall-post-text = What has not been posted yet will not be. What has arrived stays where it is. This cannot be undone.
recall-unsent = Recall before it is published?
recall-unsent-text = Nobody has seen it, and nobody will. This cannot be undone.
keep-it = Keep it
done-recalled = Recalled.

# Ways out of the house.
post-to = Post to
post-url = URL
post-headers = HTTP headers
post-header-name = Name
post-header-value = Value
post-more-headers = More rows
post-proxy = Use system proxy
post-proxy-default = As the server has it
post-secret = Signing secret
post-secret-hint = Optional. Signs the request as Standard Webhooks have it.
post-hint = The text is the body, as typed. Header values and the secret are stored encrypted and not shown again.
post-reaches-nobody = It is posted to its destinations. No user gets it.
preview-request = What is posted
request-later = made when it is sent
request-hidden = set, not shown
preview-mail = The mail:
preview-mail-page = as a page
preview-mail-text = as text
mails = Mails
mails-to =
    { $n ->
        [one] { $count } user has an address
       *[other] { $count } users have an address
    }
destinations =
    { $n ->
        [one] { $count } destination
       *[other] { $count } destinations
    }
confirm-post =
    { $n ->
        [0] Post it?
        [one] Post to { $count } destination?
       *[other] Post to { $count } destinations?
    }
post-proxy-none = yes (this server has none)

# Acknowledged.
funnel-acknowledged = Acknowledged
people-acknowledged = Acknowledged
people-unacknowledged = Not acknowledged
people-csv = Download as CSV
remind-those =
    { $n ->
        [one] Remind that one
       *[other] Remind those { $count }
    }
remind-question =
    { $n ->
        [one] Remind { $count } person?
       *[other] Remind { $count } people?
    }
remind-text = The bell rings again for those who have not acknowledged it, and they get a mail where this server sends mail.
done-reminded =
    { $n ->
        [one] Reminded { $count } person.
       *[other] Reminded { $count } people.
    }
