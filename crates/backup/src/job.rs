//! The job of the node that backs a guest up by its schedule.

use std::collections::BTreeMap;

use plimsoll_config::Keep;
use plimsoll_pve::api::{BackupJob, CreateBackupJob, DeleteBackupJob, GetBackupJobs, UpdateBackupJob};
use plimsoll_pve::{Client, Error, Kind, Vmid};
use serde_json::Value;

use crate::machine::TRIES;
use crate::{BackupError, Label};

/// Changes that are tried again after another look.
const AGAIN: u32 = 4;
/// Most changes of one run: more mean that somebody changes back what was done.
const MOST: usize = 20;

/// The job that a target asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The guest.
    pub vmid: Vmid,
    /// When, as a calendar event of the node.
    pub when: String,
    /// The storage that takes the backups.
    pub storage: String,
    /// Which are kept.
    pub keep: Keep,
}

/// A change to the jobs of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// Adds the job.
    Add(Schedule),
    /// Brings the job to what the target says.
    Update(Schedule),
    /// Takes a job away.
    Remove(String),
}

impl Schedule {
    /// The job's name. The guest's number tells it apart; whose it is stands in its comment.
    #[must_use]
    pub fn id(&self) -> String {
        format!("plimsoll-{}", self.vmid)
    }

    /// `prune-backups` of the job. What no rule keeps is kept when there is no rule at all.
    #[must_use]
    pub fn prune(&self) -> String {
        let Keep { last, daily, weekly, monthly, yearly } = self.keep;
        let rules =
            [("last", last), ("daily", daily), ("weekly", weekly), ("monthly", monthly), ("yearly", yearly)];
        let said = rules.iter().filter(|(_, count)| *count > 0);
        let said: Vec<String> = said.map(|(name, count)| format!("keep-{name}={count}")).collect();
        if said.is_empty() { "keep-all=1".to_owned() } else { said.join(",") }
    }

    /// The job for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let (vmid, when, storage) = (self.vmid, &self.when, &self.storage);
        format!("guest {vmid} `{when}` to `{storage}`, {}", self.prune().replace(',', ", "))
    }

    fn is(&self, job: &BackupJob, label: &str) -> bool {
        job.id == self.id()
            && job.schedule.as_deref() == Some(self.when.as_str())
            && job.storage.as_deref() == Some(self.storage.as_str())
            && job.vmid.as_deref() == Some(self.vmid.to_string().as_str())
            && job.notes_template.as_deref() == Some(label)
            && rules(job.prune.as_ref()) == rules(Some(&Value::String(self.prune())))
    }
}

impl JobChange {
    /// What it does, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Add(job) => format!("add the backup job {}: {}", job.id(), job.shown()),
            Self::Update(job) => format!("change the backup job {}: {}", job.id(), job.shown()),
            Self::Remove(id) => format!("take the backup job {id} away"),
        }
    }
}

/// What is kept, as pairs: a node answers them taken apart, and numbers as texts.
fn rules(prune: Option<&Value>) -> BTreeMap<String, String> {
    match prune {
        Some(Value::String(text)) => {
            let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
            pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
        }
        Some(Value::Object(map)) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            map.iter().map(|(key, value)| (key.clone(), text(value))).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// The jobs of an app's target among all of the node's.
pub fn jobs_of<'a>(
    app: &'a str,
    target: &'a str,
    jobs: &'a [BackupJob],
) -> impl Iterator<Item = &'a BackupJob> {
    let is_ours = |job: &&BackupJob| {
        let mark = job.comment.as_deref().and_then(Label::find);
        mark.is_some_and(|mark| mark.is_of(app, target))
    };
    jobs.iter().filter(is_ours)
}

/// What makes the node's jobs what a target asks for; nothing when they are. What is added comes before what goes.
#[must_use]
pub fn job_changes(app: &str, target: &str, wanted: Option<&Schedule>, jobs: &[BackupJob]) -> Vec<JobChange> {
    let label = Label::scheduled(app, target).to_string();
    let mut out = Vec::new();
    if let Some(wanted) = wanted {
        match jobs_of(app, target, jobs).find(|job| job.id == wanted.id()) {
            None => out.push(JobChange::Add(wanted.clone())),
            Some(job) if !wanted.is(job, &label) => out.push(JobChange::Update(wanted.clone())),
            Some(_) => {}
        }
    }
    let id = wanted.map(Schedule::id);
    let others = jobs_of(app, target, jobs).filter(|job| Some(&job.id) != id.as_ref());
    out.extend(others.map(|job| JobChange::Remove(job.id.clone())));
    out
}

/// The node's jobs. `None` where the token may not see them, which takes `Sys.Audit` on `/`.
pub async fn backup_jobs(client: &Client) -> Result<Option<Vec<BackupJob>>, BackupError> {
    match client.read(&GetBackupJobs {}, TRIES).await {
        Ok(jobs) => Ok(Some(jobs)),
        Err(Error::Refused(refusal)) if matches!(refusal.kind, Kind::Denied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes the node's jobs what a target asks for; what was done. It takes `Sys.Audit` and `Sys.Modify` on `/`, and
/// `Datastore.Allocate` on the storage.
pub async fn arrange(
    client: &Client,
    app: &str,
    target: &str,
    wanted: Option<&Schedule>,
) -> Result<Vec<JobChange>, BackupError> {
    let (mut done, mut troubles) = (Vec::new(), 0);
    while done.len() < MOST {
        let jobs = client.read(&GetBackupJobs {}, TRIES).await?;
        let todo = job_changes(app, target, wanted, &jobs);
        let Some(change) = todo.into_iter().next() else { return Ok(done) };
        match change_job(client, &Label::scheduled(app, target).to_string(), &change).await {
            Ok(()) => done.push(change),
            // Whether it happened, or somebody else did it meanwhile, is seen with the next look.
            Err(error) if troubles < AGAIN && may_pass(&error) => troubles += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Err(BackupError::Refused("somebody else changes the same backup jobs at the same time".to_owned()))
}

fn may_pass(error: &Error) -> bool {
    let raced = error.refusal().is_some_and(|refusal| matches!(refusal.kind, Kind::Exists | Kind::NotFound));
    raced || error.outcome_unknown() || error.is_transient()
}

async fn change_job(client: &Client, label: &str, change: &JobChange) -> Result<(), Error> {
    match change {
        JobChange::Add(job) => {
            let request = CreateBackupJob {
                id: Some(job.id()),
                schedule: Some(job.when.clone()),
                storage: Some(job.storage.clone()),
                vmid: Some(job.vmid.to_string()),
                mode: Some("snapshot".to_owned()),
                compress: Some("zstd".to_owned()),
                enabled: Some(true),
                prune: Some(job.prune()),
                notes_template: Some(label.to_owned()),
                comment: Some(label.to_owned()),
                ..CreateBackupJob::default()
            };
            client.call(&request).await
        }
        // Whether it is switched on is left to people.
        JobChange::Update(job) => {
            let request = UpdateBackupJob {
                id: job.id(),
                schedule: Some(job.when.clone()),
                storage: Some(job.storage.clone()),
                vmid: Some(job.vmid.to_string()),
                prune: Some(job.prune()),
                notes_template: Some(label.to_owned()),
                ..UpdateBackupJob::default()
            };
            client.call(&request).await
        }
        JobChange::Remove(id) => client.call(&DeleteBackupJob { id: id.clone() }).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule {
            vmid: Vmid(107),
            when: "daily".to_owned(),
            storage: "backup".to_owned(),
            keep: Keep { daily: 7, weekly: 4, ..Keep::default() },
        }
    }

    fn job(change: &[(&str, Value)]) -> BackupJob {
        let mut value = serde_json::json!({
            "id": "plimsoll-107", "schedule": "daily", "storage": "backup", "vmid": "107", "enabled": 1,
            "comment": "plimsoll shop/production: by schedule",
            "notes-template": "plimsoll shop/production: by schedule",
            "prune-backups": {"keep-weekly": "4", "keep-daily": 7},
        });
        for (key, new) in change {
            value[*key] = new.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    fn changes(wanted: Option<&Schedule>, jobs: &[BackupJob]) -> Vec<JobChange> {
        job_changes("shop", "production", wanted, jobs)
    }

    #[test]
    fn a_job_is_added_changed_and_taken_away_and_then_nothing_is_left_to_do() {
        let wanted = schedule();
        assert_eq!(changes(Some(&wanted), &[]), [JobChange::Add(wanted.clone())]);
        assert_eq!(changes(Some(&wanted), &[job(&[])]), []);
        for (key, value) in [
            ("schedule", "02:30"),
            ("storage", "other"),
            ("vmid", "107,108"),
            ("prune-backups", "keep-last=1"),
        ] {
            let drifted = job(&[(key, Value::from(value))]);
            assert_eq!(changes(Some(&wanted), &[drifted]), [JobChange::Update(wanted.clone())], "{key}");
        }
        assert_eq!(changes(None, &[job(&[])]), [JobChange::Remove("plimsoll-107".to_owned())]);
        // A person switched it off, and had a reason.
        assert_eq!(changes(Some(&wanted), &[job(&[("enabled", Value::from(0))])]), []);
    }

    #[test]
    fn jobs_of_others_are_left_alone_and_that_of_a_former_guest_goes_last() {
        let wanted = schedule();
        let foreign = job(&[("comment", Value::from("plimsoll shop/staging: by schedule"))]);
        let people = job(&[("id", Value::from("nightly")), ("comment", Value::from("all of it"))]);
        assert_eq!(changes(None, &[foreign.clone(), people.clone()]), []);
        let former = job(&[("id", Value::from("plimsoll-100")), ("vmid", Value::from("100"))]);
        assert_eq!(
            changes(Some(&wanted), &[former, people]),
            [JobChange::Add(wanted), JobChange::Remove("plimsoll-100".to_owned())]
        );
    }

    #[test]
    fn without_a_rule_all_are_kept() {
        assert_eq!(schedule().prune(), "keep-daily=7,keep-weekly=4");
        assert_eq!(Schedule { keep: Keep::default(), ..schedule() }.prune(), "keep-all=1");
    }
}
