//! How the command line writes numbers and foreign texts.

/// `1 person`, `1,284 people`.
#[must_use]
pub fn counted(people: u64) -> String {
    several(people, "person", "people")
}

/// `1 line`, `1,284 lines`: a number with the right one of two words.
#[must_use]
pub fn several(number: u64, one: &str, more: &str) -> String {
    let word = if number == 1 { one } else { more };
    format!("{} {word}", thousands(number))
}

/// A number as people read it: `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Without what a terminal would obey.
#[must_use]
pub fn printable(text: &str) -> String {
    let plain = |char: char| char == '\n' || !char.is_control();
    text.chars()
        .map(|char| if plain(char) { char } else { '\u{fffd}' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_easy_to_read() {
        let read = [0, 1, 999, 1_000, 1_234_567].map(counted).join(", ");
        assert_eq!(read, "0 people, 1 person, 999 people, 1,000 people, 1,234,567 people");
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(printable("a\u{1b}[2J\n\u{9b}b"), "a\u{fffd}[2J\n\u{fffd}b");
    }
}
