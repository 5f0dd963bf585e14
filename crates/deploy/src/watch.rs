//! Whether a release serves: checks from outside, and the time for which everything must stay as healthy as it was.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::checks;
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::Depth;
use crate::plan::Step;
use crate::push::Lesson;
use crate::run::Stop;
use crate::steps::{Run, built_of};

impl Run<'_> {
    /// All checks from outside, again and again until they hold or the time is over.
    pub(crate) async fn check(&self, limit: Duration) -> Result<(), Stop> {
        (self.runner.guest.listener)(Event::Begin { step: "check".to_owned() });
        let begun = Instant::now();
        for check in &self.spec.checks {
            let failed = |reason| Stop { step: format!("check {check}"), reason, service: None };
            checks::until(check, limit.saturating_sub(begun.elapsed())).await.map_err(failed)?;
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.runner.guest.listener)(Event::End { step: "check".to_owned(), took, sent: 0 });
        Ok(())
    }

    /// Everything must stay as healthy as it was. Meanwhile the engine here has nothing else to do.
    pub(crate) async fn watch(&self) -> Result<Result<(), Stop>, DeployError> {
        let shipped = self.plan.steps.iter().filter_map(|step| match step {
            Step::Ship { image, .. } => Some(image.clone()),
            _ => None,
        });
        let lesson = Lesson::begin(self.runner.cache.pushed(), self.spec.options.engine, shipped.collect());
        let result = self.stays().await;
        lesson.end().await;
        result
    }

    async fn stays(&self) -> Result<Result<(), Stop>, DeployError> {
        (self.runner.guest.listener)(Event::Begin { step: "watch".to_owned() });
        let begun = Instant::now();
        let mut restarts: BTreeMap<String, u64> = BTreeMap::new();
        while begun.elapsed() < self.spec.options.watch {
            let state = self.runner.guest.look(&self.lock.shell, Depth::Now, &built_of(self.spec)).await?;
            for service in &self.spec.services {
                let stop = |reason: &str| Stop {
                    step: "watch".to_owned(),
                    reason: format!("{} {reason}", service.name),
                    service: Some(service.name.clone()),
                };
                for container in state.of(&service.name) {
                    let first = *restarts.entry(container.id.clone()).or_insert(container.restarts);
                    if container.restarts > first {
                        return Ok(Err(stop("restarts")));
                    }
                    if container.health == "unhealthy" {
                        return Ok(Err(stop("became unhealthy")));
                    }
                    if !service.is_job && container.status != "running" {
                        return Ok(Err(stop(&format!("is {}", container.status))));
                    }
                }
            }
            for check in &self.spec.checks {
                if let Err(reason) = checks::once(check).await {
                    return Ok(Err(Stop { step: format!("watch {check}"), reason, service: None }));
                }
            }
            let left = self.spec.options.watch.saturating_sub(begun.elapsed());
            tokio::time::sleep(left.min(Duration::from_millis(700))).await;
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.runner.guest.listener)(Event::End { step: "watch".to_owned(), took, sent: 0 });
        Ok(Ok(()))
    }
}
