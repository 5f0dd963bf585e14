//! The check before the first change.

use std::collections::BTreeSet;

use plimsoll_pve::api::{GetPermissions, Permissions};
use plimsoll_pve::{Client, Error};

use crate::needs::{Missing, Needs};
use crate::work::Work;

/// Why work must not begin.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Privileges are missing. Nothing was changed.
    #[error("the token lacks {}", shown(.0))]
    Missing(Vec<Missing>),
    /// The node could not be asked.
    #[error(transparent)]
    Node(#[from] Error),
}

fn shown(missing: &[Missing]) -> String {
    let one = |missing: &Missing| format!("{} on `{}`", missing.privilege, missing.path);
    missing.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What the node says about the caller's privileges on the paths of some needs. Paths without a list entry of their own
/// are told only to who asks for them.
pub async fn permissions(client: &Client, needs: &[Needs]) -> Result<Permissions, Error> {
    let mut all = Permissions::new();
    let paths: BTreeSet<&str> = needs.iter().flat_map(Needs::paths).collect();
    for path in paths {
        let request = GetPermissions { path: Some(path.to_owned()), userid: None };
        all.extend(client.read(&request, 3).await?);
    }
    Ok(all)
}

/// Whether the caller has every privilege that a piece of work takes. It reads and changes nothing.
pub async fn verify(client: &Client, work: &Work) -> Result<(), VerifyError> {
    verify_needs(client, Needs::of(work), work).await
}

/// Whether the caller may make the backup job that a piece of work asks for. It reads and changes nothing.
pub async fn verify_schedule(client: &Client, work: &Work) -> Result<(), VerifyError> {
    verify_needs(client, Needs::of_schedule(work), work).await
}

async fn verify_needs(client: &Client, needs: Needs, work: &Work) -> Result<(), VerifyError> {
    let needs = [needs];
    let answer = permissions(client, &needs).await?;
    let missing: Vec<Missing> = needs.iter().flat_map(|needs| needs.missing(&answer, work)).collect();
    if missing.is_empty() { Ok(()) } else { Err(VerifyError::Missing(missing)) }
}
