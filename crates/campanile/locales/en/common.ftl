# What every page has.
skip = Skip to the content
nav = Main
inbox = Inbox
messages = Messages
apis = APIs
directory = Directory
environment = Environment
switch = Switch
profile = Profile
tokens = Personal tokens
sessions = Sessions
api-docs = API reference
log-out = Log out
signed-in-as = Signed in as { $what }
undo = Undo
close = Close
cancel = Cancel
back = Back
search = Search
search-too-long = Search for at most { $count } characters.
pages = Pages
older = Show older
more = Show more

bell = Notifications
bell-unread =
    { $n ->
        [0] Notifications, none unread
       *[other] Notifications, { $count } unread
    }
# {n} is filled in by a script.
bell-some = Notifications, {"{"}n{"}"} unread

environments-all = All environments
bell-unseen =
    { $n ->
       *[other] Notifications, { $count } unread, new ones among them
    }
bell-new = Notifications, {"{"}n{"}"} unread, new ones among them
bell-more = A new message. {"{"}n{"}"} unread.
bell-many = {"{"}n{"}"} new messages

importance = Importance
importance-any = Any importance
importance-low = Low
importance-high = High
importance-critical = Critical

# Times.
time-full = { $day } { time-month } { $year }, { $time }
time-day = { $day } { time-month }
time-day-year = { $day } { time-month } { $year }
time-month =
    { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }
time-far = far away
time-now = now
time-minutes = { $count } min
time-hours = { $count } h

# Log-in.
log-in = Log in
login = Login
password = Password
login-wrong = Login or password is wrong. Capitals matter in the password.
login-throttled =
    { $n ->
        [one] Too many failed attempts. Try again in { $count } second.
       *[other] Too many failed attempts. Try again in { $count } seconds.
    }
login-left = You are logged out.
login-help = Forgot your password? An administrator can set a new one.

session-over = Your session is over. What stands on this page stays; log in again to go on.
log-in-elsewhere = Log in in another tab
panel-away = The server cannot be reached. Try again in a moment.
again-text = Your session ended before this arrived, so nothing was done. What you typed is kept on this page: log in in another tab, come back here and send it again. Passwords are not kept.
again-send = Send again

# Problems.
problem-malformed = This request cannot be read
problem-invalid = Something is not right yet
problem-unauthenticated = You are not logged in
problem-denied = You may not do this
problem-cross-site = This came from another site
problem-missing = Nothing here
problem-missing-text = This page does not exist, or it is not for you.
problem-method = This address works differently
problem-slow-request = The request did not arrive in time
problem-conflict = This is not possible now
problem-too-large = This is too large
problem-media-type = This type is not understood
problem-throttled = Too many attempts
problem-internal = Something went wrong on our side
problem-unavailable = Not available at the moment
problem-timeout = This took too long
problem-request = Request { $what }: it is in the server's log under this name.
problem-home = To the first page
