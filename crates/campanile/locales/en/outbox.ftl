# What leaves the house by email and HTTP POST.

# On the page of a message.
way = On its way
way-refresh = Refresh
way-waits = It leaves as soon as the message is published.
way-ended = Nothing is on its way any more.
way-see-email = See each recipient
way-see-http = See each destination
run-listing = Starting
run-sending = Under way
run-held = Held
run-ended = Done
run-ended-failed = Done, { $count } failed
run-cancelling = Being taken back
run-cancelled = Taken back
run-off = Email was off
run-listing-says = Its recipients are being listed.
run-held-says = On hold: the message is switched off, or it was under way when the database was restored from a backup. Nothing leaves until somebody lets it.
run-off-says = Email was off on this server when the message was sent: nobody was mailed, and nobody will be.
relay-waits = Mails wait for the mail relay: { $why }. Since { $since }; next try { $next }.
run-nobody = There was nobody to send it to.
run-through = { $through } of { $all } dealt with
standing-all = All
standing-queued = Queued
standing-retrying = of these, tried again
standing-sent = Sent
standing-failed = Failed
standing-suppressed = Suppressed
standing-gone = Gone
standing-cancelled = Taken back
standing-in-doubt = In doubt

# Deliveries.
deliveries = Deliveries
deliveries-what = Who got it, who did not, and why.
deliveries-none-title = Nothing has left the house
deliveries-none-text = This message has not been sent by email or as an HTTP POST.
deliveries-nobody-title = Nobody here
deliveries-nobody-text = No recipient stands like this at the moment.
deliveries-not-found = Nobody here begins with what you searched for.
search-deliveries-email = Name or login
search-deliveries-http = Name or URL
channel = Sent as
standing = State
reason = Reason
since-when = Since
download-csv = Download CSV
delivery-queued = Queued
delivery-retrying = Being tried again
delivery-sending = Being sent
delivery-sent = Sent
delivery-failed = Failed
delivery-suppressed = Suppressed
delivery-gone = Gone
delivery-cancelled = Taken back
attempts =
    { $n ->
        [one] { $count } try
       *[other] { $count } tries
    }
attempts-so-far = Tries so far
attempts-title = What was tried
attempts-none = Nothing was tried yet.
attempt-took = took { $count } ms
attempt-code = answer { $what }
next-try = next try { $what }
next-try-at = Next try
in-doubt-says = Nobody knows whether these tries arrived; they were made again with the same id.
outcome-sent = Sent
outcome-again = Not yet
outcome-failed = Failed
outcome-in-doubt = In doubt
outcome-trouble = Trouble on the way
outcome-bounced = Came back

# Sending again, taking back.
again-all = Send the failed ones again
again-one = Send again
again-title =
    { $n ->
        [one] Send { $count } failed delivery again?
       *[other] Send { $count } failed deliveries again?
    }
again-text-email = Each gets all its tries anew. Addresses on the suppression list still get no mail.
again-text-http = Each gets all its tries anew, with the same id: a receiver that knows the id recognises a repeat.
again-keep = Leave them
again-button =
    { $n ->
        [one] Send { $count } again
       *[other] Send { $count } again
    }
done-sent-again =
    { $n ->
        [one] { $count } delivery is on its way again.
       *[other] { $count } deliveries are on their way again.
    }
take-back = Take back what has not left
take-back-title =
    { $n ->
        [0] Take back what has not left?
        [one] Take back { $count } delivery that has not left?
       *[other] Take back { $count } deliveries that have not left?
    }
take-back-text-email = Mails that were sent stay sent. The rest cannot be sent later. In the portal the message stays as it is.
take-back-text-http = What was posted stays posted. The rest cannot be posted later. In the portal the message stays as it is.
take-back-keep = Let it go on
done-taken-back = What had not left is taken back.

# Saved destinations.
endpoints = Saved destinations
endpoints-what = Where messages are posted to, and how it goes there.
endpoints-none-title = No saved destinations
endpoints-none-text = Save where messages are posted to, so that it need not be typed each time.
endpoint-new = New destination
endpoint-change-title = Change { $what }
endpoint-change = Change
endpoint-save = Save
endpoint-name = Name
endpoint-for = For
endpoint-of-api = Messages of the API { $what }
endpoint-of-environment = Messages of the environment { $what }
endpoint-api = Only for one API
endpoint-api-hint = Its id. Leave it empty for all messages of the environment.
endpoint-headers = Headers
endpoint-headers-kept = Stored and not shown: { $what }
endpoint-headers-replace = Replace all of them by those below
endpoint-header = Name
endpoint-value = Value
endpoint-header-name = Name of header { $count }
endpoint-header-value = Value of header { $count }
endpoint-more-headers = More rows
endpoint-proxy = System proxy
proxy-usual = As the server has it
proxy-yes = Yes
proxy-no = No
endpoint-sign = Signature
sign-new = Sign with a new secret
sign-own = Sign with a secret of your own
sign-no = Do not sign
endpoint-own-secret = Your own secret
endpoint-signed = Signed
old-secret-until = The secret before signs too until { $what }.
endpoint-well = Well
endpoint-failing = Failing
endpoint-unused = Not used yet
endpoint-paused = Paused
endpoint-off = Switched off
endpoint-paused-says = What is for it waits until it is resumed.
endpoint-off-says = The server switched it off, because it failed for days or wants no more messages. What is for it waits until it is resumed.
endpoint-locked = Its headers cannot be opened, because the key of the installation is another one. Give them again.
endpoint-health = Health
last-success = Last success
last-failure = Last failure
no-success = No success so far
failing-since = Failing since { $what }
failing-since-label = Failing since
endpoint-test = Send a test
endpoint-pause = Pause
endpoint-resume = Resume
endpoint-remove = Remove
endpoint-remove-title = Remove { $what }?
endpoint-remove-text = What waits for it fails. Its headers and its secret are forgotten. This cannot be undone.
endpoint-rotate = Another secret
endpoint-rotate-says = The new secret is shown once. Until the time below is over, both sign.
endpoint-grace = Hours in which the secret before signs too
endpoint-rotate-now = Make a new secret
endpoint-secret = Secret
endpoint-secret-made = Here is the secret
endpoint-secret-says = Copy it now: it is not shown again. The receiver needs it to check signatures.
done-endpoint-made = Saved.
done-endpoint-changed = Saved.
done-endpoint-paused = Paused. What is for it waits.
done-endpoint-resumed = Resumed. What waited leaves now.
done-endpoint-tested = The test is on its way.
done-endpoint-removed = Removed.

# Addresses that get no mail.
suppressions = Suppressed addresses
suppressions-what = Addresses that get no mail.
suppressions-search = Beginning of an address
suppressions-none-title = No suppressed addresses
suppressions-none-text = Addresses whose mail comes back, and those that you add, stand here.
suppressions-not-found = No address begins with what you searched for.
suppress-title = Add an address
suppress-address = Address
suppress = Add
suppressed-until = until { $what }
source-bounced = Came back
source-complained = Complained
source-added = Added by hand
source-unsubscribed = Unsubscribed
unsuppress = Remove
unsuppress-title = Let { $what } get mail again?
unsuppress-text = Only this reason is removed. If the address still does not take mail, it will soon be here again.
done-suppressed = The address gets no more mail.
done-unsuppressed = The address is off the list.
