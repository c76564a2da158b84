# One's own pages, and the first steps.
me = Your account
me-login = Your login is { $what }. Only an administrator can change it.
me-refused = Something is not right yet. Nothing was changed.
me-name = Name
me-email = Email address
me-email-hint = Messages by email go here. Empty: none are sent.
me-language = Language
me-zone = Time zone
me-as-browser = As the browser asks
me-zone-now = Times are now shown in { $what }.
me-save = Save the profile
done-profile = Your profile is saved.
me-mail = Mail
me-mail-on = Messages that are sent by email go to { $what }.
me-mail-off = No messages are mailed to { $what }:
me-mail-cause-bounced = A mail to it came back.
me-mail-cause-complained = Your mail provider says that you reported a mail as unwanted. Critical messages are not mailed either.
me-mail-cause-added = An administrator switched it off.
me-mail-cause-unsubscribed = You unsubscribed. Critical messages are mailed all the same.
me-mail-by-hand = Only an administrator can switch it on again.
me-mail-stop = Send me no more mail
me-mail-open = Send me mail again
me-data = Your data
me-data-says = Everything that is kept of you, in one file: who you are, what you hold, your messages with when you read them, and what the journal says.
me-device = Notifications on this device
me-device-says = While a page of the console is open here, your system shows new messages also when you look at something else. This is for this browser on this device alone.
me-device-allow = Allow notifications
me-device-which = Which messages
me-device-all = All messages
me-device-high = High and critical ones
me-device-critical = Critical ones alone
me-device-off = None
me-device-denied = This browser does not let the console show notifications. Allow them beside the address of this page, in the settings of this site.
me-device-insecure = Browsers show notifications only for a console at an https address. Ask who runs this one.
me-device-unsupported = This browser does not show notifications of an open page. The bell tells of new messages here.
done-mail-on = Messages are mailed to you again.
done-mail-off = No more mail is sent to you, but for critical messages. Everything is in your inbox.

# The page behind the link in a mail.
unsubscribe-title-ask = No more mail?
unsubscribe-text-ask = Messages of { $what } are mailed to { $address }. You can stop that here.
unsubscribe-title-off = You are unsubscribed
unsubscribe-text-off = { $what } sends no more mail to { $address }.
unsubscribe-title-on = You get mail again
unsubscribe-text-on = Messages of { $what } are mailed to { $address } again.
unsubscribe-title-barred = Mail is off
unsubscribe-text-barred = { $what } sends no mail to { $address }: a mail came back, or somebody switched it off. Log in and look at your profile to see why.
unsubscribe-title-nobody = There is no address
unsubscribe-text-nobody = { $what } has no email address of yours any more, and sends you no mail.
unsubscribe-title-unknown = This link does not work
unsubscribe-text-unknown = It may not have been copied whole. Open it from the mail itself, or log in and switch mail off in your profile.
unsubscribe-rest = Critical messages are mailed all the same, and everything stays in your inbox.
unsubscribe-do = Unsubscribe
unsubscribe-again = Send me mail again
last-used = last used
copy = Copy
copied = Copied

change-password = Password
password-says = A change ends all your other sessions. This one, your tokens and your ticket stay.
password-old = The password you have now
password-new = The new password
password-hint = At least 8 characters. A few words that only you put together are good and easy to remember.
password-again = The new password once more
password-differs = is not the same as above
password-change = Change the password
done-password = Your password is changed. All your other sessions have ended.

token = Token
tokens-says = A script signs in with a token instead of your password, and may do what you may do.
token-new = New token
token-name = What it is for
token-name-hint = Such as “nightly build”.
token-end = Ends
token-end-30 = In 30 days
token-end-90 = In 90 days
token-end-365 = In 365 days
token-end-never = Never, until it is revoked
token-end-own = At a time of your own
token-end-at = Ends at
token-end-missing = is not a time; choose when the token ends
token-create = Create the token
token-made = The token “{ $what }” is made
token-made-says = Copy it now. It is shown this once and cannot be shown again.
token-use = A script sends it as
token-none-title = No tokens
token-none-text = You have made none. Scripts need one, people do not.
token-created = made { $what }
token-unused = never used
token-ends = ends { $what }
token-ended = ended { $what }
token-endless = does not end
token-over = Ended
token-revoke = Revoke …
token-revoke-says = What uses “{ $what }” can no longer sign in. This cannot be undone.
token-revoke-now = Revoke the token
done-token-revoked = The token is revoked.

ticket = Auth ticket
ticket-says = Programs that fetch UI messages for you (addresses below /v3/) sign in with this ticket. It does not end by itself.
ticket-label = Your auth ticket
ticket-hidden = The ticket is hidden. Who has it can read your messages, so look at it when nobody else does.
ticket-show = Show the ticket
ticket-hide = Hide it
ticket-keep = Who has it can read your messages. Keep it like a password.
ticket-renew = Renew the ticket
ticket-renew-says = If somebody else may have seen it, get another one.
ticket-renew-sure = The ticket of now is void at once. Programs that use it need the new one.
ticket-renew-now = Renew it now
done-ticket = Your ticket is renewed. The one before is void.

sessions-says = Where you are signed in. End what you do not know, and then change your password.
sessions-none-title = No sessions
sessions-none-text = You came here with a token or a password, without logging in.
session-this = This one
session-from = from { $what }
session-since = logged in { $what }
session-until = ends { $what }
session-end = End
sessions-end-others = End all others
sessions-end-others-says =
    { $n ->
        [one] Whoever uses it has to log in again.
       *[other] Whoever uses one of them has to log in again.
    }
sessions-end-others-now =
    { $n ->
        [one] End the other session
       *[other] End { $count } sessions
    }
done-session-ended =
    { $n ->
        [0] There was no other session.
        [one] The session has ended.
       *[other] { $count } sessions have ended.
    }
agent-on = { $program } on { $system }
agent-unknown = Unknown client

# First steps.
start = First steps
start-says = In four steps from an empty installation to a message that everybody gets.
start-done = Done
start-next = Next
start-profile-title = Look at your profile
start-profile-text = Your name stands under the messages that you send. Give an email address too, and choose your language.
start-profile-do = Open the profile
start-people-title = Bring in people
start-people-text = Import a file with users, groups and what they hold, or create a first user by hand.
start-people-import = Import a file
start-people-create = Create a user
start-try-title = Try it: a message to yourself
start-try-text = This sends a real message, to you alone. Your bell then shows it.
start-try-title-label = Title
start-try-text-label = Text
start-try-message-title = The first bell
start-try-message-text = This is how a message looks to those who get it.
start-try-do = Send it to myself
start-send-title = Send to everybody
start-send-text = Write to all people, or to those who hold a role, belong to a customer or use an API. You see how many they are before you send.
start-send-do = Write a message
done-tried = Sent. Press the bell at the top to read it.
