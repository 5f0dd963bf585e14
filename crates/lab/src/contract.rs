//! What the chosen release knows: endpoints, their parameters and privileges.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The release whose contract the node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 8.4.
    V8,
    /// 9.2.
    V9,
}

impl Release {
    /// `version` as the node answers it.
    pub fn version(self) -> &'static str {
        match self {
            Self::V8 => "8.4.5",
            Self::V9 => "9.2.3",
        }
    }

    /// `release` as the node answers it.
    pub fn short(self) -> &'static str {
        match self {
            Self::V8 => "8.4",
            Self::V9 => "9.2",
        }
    }
}

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "8" | "8.4" => Ok(Self::V8),
            "9" | "9.2" => Ok(Self::V9),
            _ => Err(format!("`{text}` is no release that the lab knows; it knows 8.4 and 9.2")),
        }
    }
}

/// An endpoint of the release.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) verb: String,
    pub(crate) path: String,
    segments: Vec<String>,
    /// What the lab knows of it; `None` for what the lab does not answer.
    pub(crate) detail: Option<Detail>,
}

/// What a request for an endpoint is held against.
#[derive(Debug)]
pub(crate) struct Detail {
    pub(crate) params: BTreeMap<String, Value>,
    /// The vendor's expression of privileges.
    pub(crate) check: Value,
    /// `all`, `world` or `root`, where there is no expression.
    pub(crate) user: String,
    pub(crate) token: bool,
}

/// The contract of one release.
#[derive(Debug)]
pub(crate) struct Contract {
    endpoints: Vec<Endpoint>,
}

const TABLES: [&str; 2] = [include_str!("../contract/8.4.json"), include_str!("../contract/9.2.json")];

impl Contract {
    pub(crate) fn of(release: Release) -> Self {
        let [old, new] = TABLES;
        let table: Value =
            serde_json::from_str(if release == Release::V8 { old } else { new }).unwrap_or_default();
        let schemas = table["schemas"].as_array().cloned().unwrap_or_default();
        let endpoints = table["endpoints"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self { endpoints: endpoints.iter().map(|line| endpoint(line, &schemas)).collect() }
    }

    /// The endpoint for a path, with what stands in its places.
    pub(crate) fn find(&self, verb: &str, path: &[String]) -> Option<(&Endpoint, BTreeMap<String, String>)> {
        // A fixed name beats a place: `/nodes/{node}/tasks/{upid}/log` has both kinds at the same depth.
        let candidates = self.endpoints.iter().filter(|endpoint| endpoint.verb == verb);
        candidates
            .filter_map(|endpoint| Some((endpoint, endpoint.fits(path)?)))
            .min_by_key(|(endpoint, places)| (places.len(), endpoint.path.clone()))
    }

    pub(crate) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }
}

impl Endpoint {
    fn fits(&self, path: &[String]) -> Option<BTreeMap<String, String>> {
        if self.segments.len() != path.len() {
            return None;
        }
        let mut places = BTreeMap::new();
        for (own, given) in self.segments.iter().zip(path) {
            match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                Some(place) => {
                    places.insert(place.to_owned(), given.clone());
                }
                None if own == given => {}
                None => return None,
            }
        }
        Some(places)
    }
}

fn endpoint(line: &Value, schemas: &[Value]) -> Endpoint {
    let text = |index: usize| line[index].as_str().unwrap_or_default().to_owned();
    let none = Map::new();
    let detail = line[2].is_object().then(|| Detail {
        params: line[2]
            .as_object()
            .unwrap_or(&none)
            .iter()
            .filter_map(|(name, number)| {
                let schema = schemas.get(usize::try_from(number.as_u64()?).ok()?)?;
                Some((name.clone(), schema.clone()))
            })
            .collect(),
        check: line[3].clone(),
        user: text(4),
        token: line[5].as_bool().unwrap_or(true),
    });
    let path = text(1);
    Endpoint {
        verb: text(0),
        segments: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        path,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_releases_are_read() {
        for (release, least) in [(Release::V8, 600), (Release::V9, 670)] {
            let contract = Contract::of(release);
            assert!(contract.endpoints().len() >= least, "{}", contract.endpoints().len());
        }
    }

    #[test]
    fn a_path_finds_its_endpoint() {
        let contract = Contract::of(Release::V9);
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (endpoint, places) = contract.find("GET", &path("nodes/pve1/lxc/100/config")).unwrap();
        assert_eq!(
            (endpoint.path.as_str(), places["vmid"].as_str()),
            ("/nodes/{node}/lxc/{vmid}/config", "100")
        );
        assert!(contract.find("POST", &path("nodes/pve1/lxc/100/exec")).is_none());
    }
}
