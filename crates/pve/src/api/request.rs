//! What a request is.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{Params, Version, percent_encode};

/// The four verbs of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, starts a task or acts.
    Post,
    /// Changes.
    Put,
    /// Takes away.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        })
    }
}

/// A request with the type of its answer.
pub trait Request {
    /// What the node answers.
    type Answer: DeserializeOwned;
    /// The verb.
    const METHOD: Method;
    /// The path with its names in braces, below `/api2/json`.
    const PATH: &'static str;

    /// Everything that the request says, what stands in the path included.
    fn everything(&self) -> Params;

    /// What it uses that not every supported release knows: the newest such thing.
    fn newest_need(&self) -> Option<(String, Version)>;

    /// The path.
    fn path(&self) -> String {
        let mut path = Self::PATH.to_owned();
        for (name, value) in self.everything().iter() {
            path = path.replace(&format!("{{{name}}}"), &percent_encode(value));
        }
        path
    }

    /// What does not stand in the path.
    fn params(&self) -> Params {
        let mut rest = Params::default();
        for (name, value) in
            self.everything().iter().filter(|(name, _)| !Self::PATH.contains(&format!("{{{name}}}")))
        {
            rest.push(name, value);
        }
        rest
    }
}

/// A request without values, for tables and checks.
#[derive(Clone, Debug)]
pub struct Described {
    /// Name of the type.
    pub name: &'static str,
    /// The verb.
    pub method: Method,
    /// The path; `{kind}` stands for `lxc` and `qemu`.
    pub path: &'static str,
    /// The first release that has it, if not all supported ones do.
    pub since: Option<Version>,
    /// What it can say.
    pub params: &'static [Param],
}

/// A parameter that a request can have.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name; `[n]` at the end stands for a number.
    pub name: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// The first release that knows it, if not all supported ones do.
    pub since: Option<Version>,
}

macro_rules! since {
    () => {
        None
    };
    ($version:ident) => {
        Some(crate::Version::$version)
    };
}

/// Defines requests: name, verb, path, answer; then fields with type and parameter.
macro_rules! requests {
    ($(
        $(#[$meta:meta])*
        $name:ident = $method:ident $path:literal $(since $since:ident)? -> $answer:ty {
            $( $field:ident : $type:ty = $param:literal $(since $needs:ident)? ),* $(,)?
        }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug)]
            pub struct $name {
                $(
                    #[doc = concat!("Parameter `", $param, "`.")]
                    pub $field: $type,
                )*
            }

            impl crate::Request for $name {
                type Answer = $answer;
                const METHOD: crate::Method = crate::Method::$method;
                const PATH: &'static str = $path;

                #[allow(unused_mut, reason = "some requests say nothing")]
                fn everything(&self) -> crate::Params {
                    let mut out = crate::Params::default();
                    $( crate::ToParam::write(&self.$field, $param, &mut out); )*
                    out
                }

                #[allow(unused_mut, reason = "most requests need nothing new")]
                fn newest_need(&self) -> Option<(String, crate::Version)> {
                    let mut needs: Vec<(String, crate::Version)> = Vec::new();
                    let endpoint: Option<crate::Version> = crate::api::request::since!($($since)?);
                    needs.extend(endpoint.map(|version| (format!("{} {}", Self::METHOD, Self::PATH), version)));
                    $(
                        let field: Option<crate::Version> = crate::api::request::since!($($needs)?);
                        if let Some(version) = field {
                            let mut out = crate::Params::default();
                            crate::ToParam::write(&self.$field, $param, &mut out);
                            if !out.is_empty() {
                                needs.push((format!("parameter `{}` of {} {}", $param, Self::METHOD, Self::PATH), version));
                            }
                        }
                    )*
                    needs.into_iter().max_by_key(|(_, version)| *version)
                }
            }
        )*

        pub(super) const DESCRIBED: &[crate::Described] = &[$(
            crate::Described {
                name: stringify!($name),
                method: crate::Method::$method,
                path: $path,
                since: crate::api::request::since!($($since)?),
                params: &[$(
                    crate::Param {
                        name: $param,
                        optional: <$type as crate::ToParam>::OPTIONAL,
                        since: crate::api::request::since!($($needs)?),
                    },
                )*],
            },
        )*];
    };
}
pub(crate) use {requests, since};

#[cfg(test)]
mod tests {
    use crate::api::{GetRole, GuestKind, LxcCreate, PowerOn};
    use crate::{Request as _, Version, Vmid};

    #[test]
    fn what_stands_in_the_path_is_encoded_and_not_sent_again() {
        let start = PowerOn { node: "pve1".into(), kind: GuestKind::Lxc, vmid: Vmid(100) };
        assert_eq!(
            (start.path().as_str(), start.params().is_empty()),
            ("/nodes/pve1/lxc/100/status/start", true)
        );
        assert_eq!(GetRole { roleid: "a/b c".into() }.path(), "/access/roles/a%2Fb%20c");
    }

    #[test]
    fn newer_parameters_are_noticed_only_when_used() {
        let mut create = LxcCreate { node: "pve1".into(), vmid: Vmid(100), ..LxcCreate::default() };
        assert_eq!(create.newest_need(), None);
        create.entrypoint = Some("/app".into());
        assert_eq!(create.newest_need().unwrap().1, Version::V9_1);
    }
}
