//! The calls for a backup job of the node, apart from the table of the least role.

use plimsoll_pve::Method::{Delete, Get, Post, Put};

use crate::calls::{Call, Place, Releases, Source, on};
use crate::work::Work;

const JOBS: Source = Source::Code("pve-manager PVE/API2/Backup.pm assert_param_permission_create");

fn schedules(work: &Work) -> bool {
    work.schedule
}

/// The calls for a backup job of the node. They are apart, because they take rights over the whole cluster: a deploy goes on
/// without them.
pub const SCHEDULE_CALLS: &[Call] = &[
    Call {
        what: "see the backup jobs",
        method: Get,
        path: "/cluster/backup",
        releases: Releases::All,
        when: schedules,
        needs: &[on(Place::Cluster, &["Sys.Audit"], Source::Contract)],
    },
    Call {
        what: "add the backup job",
        method: Post,
        path: "/cluster/backup",
        releases: Releases::All,
        when: schedules,
        needs: &[
            on(Place::Cluster, &["Sys.Modify"], Source::Contract),
            on(Place::Backups, &["Datastore.Allocate"], JOBS),
        ],
    },
    Call {
        what: "change the backup job",
        method: Put,
        path: "/cluster/backup/{id}",
        releases: Releases::All,
        when: schedules,
        needs: &[on(Place::Cluster, &["Sys.Modify"], Source::Contract)],
    },
    Call {
        what: "take the backup job away",
        method: Delete,
        path: "/cluster/backup/{id}",
        releases: Releases::All,
        when: schedules,
        needs: &[on(Place::Cluster, &["Sys.Modify"], Source::Contract)],
    },
];
