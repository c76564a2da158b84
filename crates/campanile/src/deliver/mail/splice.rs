//! A body that is encoded once, with a place in it that is filled in for each reader.

/// An encoded body and where the marker's characters stand in it.
#[derive(Debug)]
pub(super) struct Body {
    bytes: Vec<u8>,
    /// For each appearance of the marker the place of each of its characters: a soft line break may stand between two.
    places: Vec<Vec<usize>>,
}

impl Body {
    /// Finds the marker in a quoted-printable body. The encoding depends on the kind of each character alone, so a
    /// text of as many letters and digits as the marker has can be put in its place.
    pub(super) fn new(bytes: &[u8], marker: &str) -> Self {
        let marker = marker.as_bytes();
        let starts = (0..bytes.len()).filter(|at| bytes[*at] == marker[0]);
        let places = starts.filter_map(|start| appearance(bytes, start, marker)).collect();
        Self {
            bytes: bytes.to_vec(),
            places,
        }
    }

    /// The body with a text in place of the marker.
    pub(super) fn with(&self, text: &str) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for places in &self.places {
            for (place, byte) in places.iter().zip(text.bytes()) {
                bytes[*place] = byte;
            }
        }
        bytes
    }
}

/// The places of the marker's characters, if it begins here.
fn appearance(bytes: &[u8], start: usize, marker: &[u8]) -> Option<Vec<usize>> {
    let mut at = start;
    let mut places = Vec::with_capacity(marker.len());
    for byte in marker {
        while bytes[at..].starts_with(b"=\r\n") {
            at += 3;
        }
        if bytes.get(at) != Some(byte) {
            return None;
        }
        places.push(at);
        at += 1;
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use lettre::message::Body as Encoded;
    use lettre::message::header::ContentTransferEncoding::QuotedPrintable;
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> Vec<u8> {
        Encoded::new_with_encoding(text.to_owned(), QuotedPrintable)
            .unwrap()
            .into_vec()
    }

    proptest! {
        #[test]
        fn putting_it_in_afterwards_is_the_same_as_before(
            before in "[a-zäö=.\n ]{0,90}",
            between in "[a-z \n]{0,90}",
        ) {
            let (marker, token) = ("0123456789abcdef".repeat(3), "fedcba9876543210".repeat(3));
            let text = |what: &str| format!("{before}{what}{between}https://example.com/u/{what}>\n");
            let body = Body::new(&encoded(&text(&marker)), &marker);
            prop_assert_eq!(body.places.len(), 2);
            prop_assert_eq!(body.with(&token), encoded(&text(&token)));
        }
    }
}
