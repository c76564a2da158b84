# The rules speak English already.
name-at-least-one-part-such-as-kind-everyone = Choose at least one recipient.
is-before-opens-at = is before the time of publication
name-at-least-one-channel-such-as-portal = Choose at least one way to send it.
name-at-least-one-destination-such-as-url-https-hooks-example-com-in = Name at least one place to post to.
is-empty-say-in-a-few-words-what-it-is-about = Say in a few words what it is about.
