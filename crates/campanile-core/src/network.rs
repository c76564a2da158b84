//! Blocks of addresses: proxies that are trusted, and targets that messages may be posted to.

use std::net::IpAddr;

/// A block of addresses in CIDR notation (RFC 4632), or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// A block that is known to be one: `prefix` is at most the bits of the address.
    pub(crate) const fn new(first: IpAddr, prefix: u8) -> Self {
        Self { first, prefix }
    }

    /// Whether the address lies in this block. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                (first.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                (first.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    /// Whether the whole of this block lies in another.
    #[must_use]
    pub fn lies_in(&self, other: &Self) -> bool {
        self.prefix >= other.prefix && other.contains(self.first)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl std::str::FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not an address or a block such as 10.0.0.0/8 or fd00::/8";
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| WRONG)?)),
            None => (text, None),
        };
        let first = address.parse::<IpAddr>().map_err(|_| WRONG)?;
        let longest = if first.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            Err(WRONG)
        } else {
            Ok(Self { first, prefix })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lies_in(one: &str, other: &str) -> bool {
        one.parse::<Network>().unwrap().lies_in(&other.parse().unwrap())
    }

    #[test]
    fn a_block_lies_in_one_that_is_as_large_or_larger() {
        assert!(lies_in("169.254.169.254", "169.254.0.0/16") && lies_in("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!lies_in("169.0.0.0/8", "169.254.0.0/16") && !lies_in("0.0.0.0/0", "169.254.0.0/16"));
        assert!(!lies_in("::/0", "0.0.0.0/0") && !lies_in("10.0.0.1", "11.0.0.0/8"));
    }
}
