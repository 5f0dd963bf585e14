//! Addresses of cards that ask for one. The lab gives them without a server: LXC sets them before the guest's first process.

use std::collections::BTreeMap;

use crate::backend::Network;

/// Last numbers of addresses, by guest and card.
#[derive(Debug, Default)]
pub(in crate::backend) struct Leases(BTreeMap<(u32, u32), u8>);

/// Addresses below are for those who choose themselves; the machine has the last.
const FIRST: u8 = 100;
const LAST: u8 = 253;

impl Leases {
    /// Gives a card its address, the same as long as the guest is there. Fails when all are given away.
    pub(in crate::backend) fn give(&mut self, vmid: u32, card: u32) -> Result<(), String> {
        if self.0.contains_key(&(vmid, card)) {
            return Ok(());
        }
        let free = (FIRST..=LAST).find(|last| !self.0.values().any(|taken| taken == last));
        let free = free.ok_or("all addresses of the lab's network are given away")?;
        self.0.insert((vmid, card), free);
        Ok(())
    }

    /// Takes the addresses of a guest back.
    pub(in crate::backend) fn take(&mut self, vmid: u32) {
        self.0.retain(|(of, _), _| *of != vmid);
    }

    /// Addresses of a guest by card, with their length.
    pub(in crate::backend) fn of(&self, vmid: u32, network: &Network) -> BTreeMap<u32, String> {
        let start = network.gateway.rsplit_once('.').map_or("", |(start, _)| start);
        let own = self.0.iter().filter(|((of, _), _)| *of == vmid);
        own.map(|((_, card), last)| (*card, format!("{start}.{last}/24"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_its_address_and_no_other_gets_it() {
        let text = str::to_owned;
        let network = Network {
            bridge: text("b"),
            subnet: text("10.9.8.0/24"),
            gateway: text("10.9.8.1"),
            machine: text("10.9.8.254"),
            nameserver: None,
        };
        let mut leases = Leases::default();
        for (vmid, card) in [(100, 0), (101, 0), (100, 0), (100, 1)] {
            leases.give(vmid, card).unwrap();
        }
        assert_eq!(
            leases.of(100, &network),
            BTreeMap::from([(0, text("10.9.8.100/24")), (1, text("10.9.8.102/24"))])
        );
        leases.take(100);
        assert!(leases.of(100, &network).is_empty());
        for vmid in 200..353 {
            leases.give(vmid, 0).unwrap();
        }
        assert!(leases.give(999, 0).is_err());
    }
}
