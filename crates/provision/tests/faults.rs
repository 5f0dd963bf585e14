//! A node that stays broken for a while, or answers two clients at once: there is one guest afterwards, and it is whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod rig;

use plimsoll_provision::{ProvisionError, observe, plan};
use rig::{Rig, wanted};

/// Every call that changes something.
const CALLS: [(&str, &str); 5] = [
    ("post", "/lxc"),
    ("put", "/config"),
    ("post", "/firewall/rules"),
    ("put", "/firewall/options"),
    ("post", "/status/start"),
];

#[tokio::test]
async fn a_node_that_stays_broken_is_named_and_the_next_run_goes_on() {
    for (verb, path) in CALLS {
        let rig = Rig::new().await;
        let rule = format!("{{\"fault\":\"status\",\"status\":500,\"verb\":\"{verb}\",\"path\":\"{path}\"}}");
        let number = rig.lab.add_fault(serde_json::from_str(&rule).unwrap());
        let wanted = wanted("shop");
        let error = rig.runner(&wanted, "/proc/none").run().await.unwrap_err();
        assert!(matches!(error, ProvisionError::Node(_)), "{rule}: {error}");
        rig.lab.remove_fault(number);
        let error = rig.runner(&wanted, "/proc/none").run().await.unwrap_err();
        assert!(matches!(error, ProvisionError::Guest(_)), "{rule}: {error}");
        assert_eq!(rig.numbers().await, [100], "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_at_once_end_with_one_guest() {
    for _ in 0..5 {
        let rig = Rig::new().await;
        let wanted = wanted("shop");
        let (one, two) = (rig.runner(&wanted, "/proc/none"), rig.runner(&wanted, "/proc/none"));
        let (one, two) = tokio::join!(one.run(), two.run());
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert!(matches!(error, ProvisionError::Guest(_)), "{error}");
        }
        let state = observe(&rig.client, &wanted).await.unwrap();
        assert_eq!(rig.numbers().await.len(), 1);
        assert_eq!(plan(&wanted, &state).unwrap().steps.len(), 1);
    }
}
