//! How often an address may try a password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Attempts of an address in a window.
const ATTEMPTS_MAX: u32 = 30;
/// The window.
const WINDOW_MS: u64 = 60_000;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// Attempts by address: of IPv6 by the network that a customer has (/64).
#[derive(Debug, Default)]
pub struct Limiter(Mutex<HashMap<IpAddr, (u64, u32)>>);

impl Limiter {
    /// Whether one more may be tried now.
    pub fn admits(&self, address: IpAddr, now_ms: u64) -> bool {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if attempts.len() >= ADDRESSES_MAX && !attempts.contains_key(&address) {
            attempts.retain(|_, (since_ms, _)| now_ms.saturating_sub(*since_ms) < WINDOW_MS);
            if attempts.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        let (since_ms, count) = attempts.entry(address).or_insert((now_ms, 0));
        if now_ms.saturating_sub(*since_ms) >= WINDOW_MS {
            (*since_ms, *count) = (now_ms, 0);
        }
        *count = count.saturating_add(1);
        *count <= ATTEMPTS_MAX
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_try_so_often_and_again_later() {
        let limiter = Limiter::default();
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        assert!((0..ATTEMPTS_MAX).all(|_| limiter.admits(address, 1_000)));
        assert!(!limiter.admits(neighbour, 1_001) && limiter.admits(other, 1_001));
        assert!(limiter.admits(address, 61_000));
    }
}
