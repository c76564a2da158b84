//! Passwords: what is accepted (decision 39), and the slow hash of them. Pure processor work, tens of milliseconds and
//! 19 MiB each: never inside a closure on the database, where it would stop the only writer.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::account::login_key;
use crate::error::{Error, Result};

/// Bytes of the shortest password.
pub const MIN_BYTES: usize = 8;
/// Bytes of the longest password.
pub const MAX_BYTES: usize = 1_024;

/// Memory of one hash in KiB, passes over it, and lanes: the recommendation of OWASP's cheat sheet for argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Of a password that nobody has: verified when a login does not exist, so that the answer takes as long.
pub const DUMMY_PHC: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2FtcGFuaWxlIG5vYm9keQ$5OzDNoTrrgkFwsuMbyjwRPM9cnIA0ecAj9QPm2kMq1g";

/// Whether a password may be chosen: 8 to 1,024 bytes, neither the login nor a known-common one (in any case).
/// A fault names the field given, as the caller's input calls it.
pub fn check(field: &str, password: &str, login: &str) -> Result<()> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&password.len()) {
        return Err(Error::field(
            field,
            format!("must have {MIN_BYTES} to {MAX_BYTES} bytes"),
        ));
    }
    let key = login_key(password);
    if key == login_key(login) {
        return Err(Error::field(field, "must not be the login"));
    }
    if COMMON.split_whitespace().any(|common| common == key) {
        return Err(Error::field(
            field,
            "is one of the passwords that are tried first; choose another",
        ));
    }
    Ok(())
}

/// Hashes a password with 16 random bytes; the PHC string that is stored. Accepts any password: [`check`] comes first.
#[must_use]
pub fn hash(password: &str, salt: &[u8; 16]) -> String {
    let made = hasher().hash_password_with_salt(password.as_bytes(), salt);
    let made: PasswordHash = made.expect("16 bytes are a salt, and no text is longer than argon2 takes");
    made.to_string()
}

/// Whether a password is the one of a PHC string.
#[must_use]
pub fn verify(password: &str, phc: &str) -> bool {
    // No such password can have been set, and it need not be read to the end.
    if password.len() > MAX_BYTES {
        return false;
    }
    PasswordHash::new(phc).is_ok_and(|phc| hasher().verify_password(password.as_bytes(), &phc).is_ok())
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constants that argon2 allows");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is tried first, in lower case. Shorter ones are refused for their length.
const COMMON: &str = "
    00000000 0123456789 0987654321 10203040 11111111 1111111111 11223344 12121212 12341234 123123123 12344321
    123454321 12345678 123456789 1234567890 1234567891 12345679 123456987 123456abc 123456qwerty 12345qwert 1234qwer
    123654789 123abc123 123qweasd 123qweasdzxc 147258369 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc
    1qazxsw2 22222222 33333333 44444444 55555555 66666666 77777777 789456123 87654321 88888888 987654321 9876543210
    99999999 a1234567 a12345678 a123456789 a1b2c3d4 aa123456 aa12345678 aaaaaaaa abc12345 abc123456 abcd1234
    abcdefgh access14 admin123 admin1234 admin12345 admin123456 administrator adminadmin alexander asdasdasd
    asdf1234 asdfasdf asdfghjk asdfghjkl asdqwe123 azertyuiop baseball baseball1 basketball benjamin bismillah
    blink182 butterfly campanile campanile1 changeit changeme changeme1 changeme123 charlie1 chocolate christian
    cocacola computer computer1 consumer corvette danielle december default1 dragon123 einstein elephant elizabeth
    facebook football football1 fuckyou1 gateway1 godzilla gravitee hallo123 hannover hello123 helloworld iloveyou
    iloveyou1 internet jennifer jonathan juventus killer123 letmein1 letmein123 liverpool liverpool1 lovelove
    loveyou1 manchester master123 maverick melissa1 mercedes michael1 michelle midnight monkey123 mustang1 nicholas
    november p4ssw0rd p@55w0rd p@ssw0rd p@ssw0rd1 p@ssword pa$$w0rd pa55word passpass passw0rd passw0rd1 passwort
    passwort1 password password! password01 password1 password1! password12 password123 password1234 password2
    password@123 patricia pokemon1 princess princess1 qazwsx123 qazwsxedc qwer1234 qwerasdf qwert123 qwerty12
    qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertz123 qwertzuiop rootroot samantha
    samsung1 scorpion sebastian secret123 september snowball spiderman spongebob starwars starwars1 steelers
    summer123 sunshine sunshine1 superman superman1 superuser swordfish test1234 test12345 testtest trustno1
    username veronica victoria welcome1 welcome123 welcome@123 whatever william1 winner123 xxxxxxxx yankees1
    zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123";

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(password: &str) -> Option<String> {
        check("password", password, "ann.lee")
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert_eq!(
            reason("1f8+Qzt").as_deref(),
            Some("password: must have 8 to 1024 bytes")
        );
        assert_eq!(reason("üöäß"), None);
        assert_eq!(reason(&"xy".repeat(512)), None);
        assert_eq!(
            reason(&format!("{}x", "xy".repeat(512))).as_deref(),
            Some("password: must have 8 to 1024 bytes")
        );
    }

    #[test]
    fn what_is_tried_first_is_refused_in_any_case() {
        assert!(reason("PassWord123").is_some_and(|reason| reason.contains("tried first")));
        assert_eq!(reason("Password123 of mine"), None);
    }

    #[test]
    fn the_login_is_no_password() {
        assert_eq!(
            check("new", "Ann.Lee1", "ann.lee1").unwrap_err().to_string(),
            "new: must not be the login"
        );
    }

    #[test]
    fn the_list_holds_what_can_match() {
        for common in COMMON.split_whitespace() {
            assert!(common.len() >= MIN_BYTES && login_key(common) == common, "{common}");
        }
    }

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let phc = hash("correct horse", &[1; 16]);
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse", &phc));
        assert!(!verify("Correct horse", &phc));
        assert!(!verify("correct horse", "not a PHC string"));
        assert!(!verify("correct horse", &phc.replace("argon2id", "scrypt")));
    }

    #[test]
    fn the_salt_decides_the_hash() {
        assert_ne!(hash("correct horse", &[1; 16]), hash("correct horse", &[2; 16]));
    }

    #[test]
    fn the_dummy_costs_what_a_real_one_costs() {
        let head = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(head(DUMMY_PHC), head(&hash("x", &[0; 16])));
        assert_eq!(DUMMY_PHC.len(), hash("x", &[0; 16]).len());
        assert!(PasswordHash::new(DUMMY_PHC).is_ok());
    }
}
