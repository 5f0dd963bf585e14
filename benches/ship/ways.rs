//! The ways of a change to the guest, ours among them.

/// A way: lines for the shell of the client, in a checkout of its own.
///
/// `$N` is its name, `$IMAGE` the image of its Compose file, `$PORT` where it serves; `$SSH` is `ssh` with its options, `$G`
/// the guest, and `$ON` both.
pub(crate) struct Way {
    /// Its name in files and images.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) what: &'static str,
    /// The programs that it needs here.
    pub(crate) needs: &'static [&'static str],
    /// Whether it is measured over a slow network, too.
    pub(crate) is_measured_slow: bool,
    /// Its image.
    pub(crate) image: &'static str,
    /// The first time, where that differs.
    pub(crate) first: Option<&'static str>,
    /// What is done before and not measured.
    pub(crate) before: &'static str,
    /// The way itself.
    pub(crate) line: &'static str,
}

/// Replaces the container by one of the image that the guest has by now, and waits until it is healthy.
macro_rules! up {
    () => {
        "cd /srv/$N && docker compose up -d --no-build --wait -t 1 --quiet-pull"
    };
}

/// Ours comes first: the bounds are its own.
pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "plimsoll",
        what: "**`plimsoll deploy`**",
        needs: &["docker"],
        is_measured_slow: true,
        image: "plimsoll",
        first: Some(FIRST),
        before: CLOSE,
        line: OURS,
    },
    Way {
        name: "open",
        what: "**`plimsoll deploy`** within a minute of another command",
        needs: &["docker"],
        is_measured_slow: true,
        image: "open",
        first: Some(FIRST),
        before: "$PLIMSOLL status --app $N >/dev/null 2>&1 || true",
        line: OURS,
    },
    Way {
        name: "guest",
        what: "**`plimsoll deploy --build guest`**",
        needs: &[],
        is_measured_slow: true,
        image: "guest",
        first: None,
        before: CLOSE,
        line: "$PLIMSOLL deploy --app $N --build guest --watch 0 --check-http http://{guest}:$PORT/version.txt",
    },
    Way {
        name: "tar",
        what: "tar of the checkout, build in the guest",
        needs: &["tar"],
        is_measured_slow: true,
        image: "tar",
        first: None,
        before: "",
        line: "tar -cz . | $ON \"tar -xz -C /srv/$N && cd /srv/$N && docker compose up -d --build --wait -t 1\"",
    },
    Way {
        name: "rsync",
        what: "rsync of the checkout, build in the guest",
        needs: &["rsync"],
        is_measured_slow: true,
        image: "rsync",
        first: None,
        before: "",
        line: "rsync -az --delete -e \"$SSH\" ./ $G:/srv/$N/ && $ON \"cd /srv/$N && docker compose up -d --build --wait -t 1\"",
    },
    Way {
        name: "save",
        what: "`docker save`, `ssh docker load`",
        needs: &["docker"],
        is_measured_slow: false,
        image: "save",
        first: None,
        before: "",
        line: concat!(
            "docker build -q -t $IMAGE . && docker save $IMAGE | $ON \"docker load -q && ",
            up!(),
            "\""
        ),
    },
    Way {
        name: "zstd",
        what: "the same with `zstd` between",
        needs: &["docker", "zstd"],
        is_measured_slow: true,
        image: "zstd",
        first: None,
        before: "",
        line: concat!(
            "docker build -q -t $IMAGE . && docker save $IMAGE | zstd -q -3 | $ON \"zstd -dq | docker load -q && ",
            up!(),
            "\""
        ),
    },
    Way {
        name: "pull",
        what: "registry here, `docker pull` through a reverse tunnel",
        needs: &["docker", "docker-registry"],
        is_measured_slow: false,
        image: "127.0.0.1:5055/pull",
        first: None,
        before: "",
        line: concat!(
            "docker build -q -t $IMAGE . && docker push -q $IMAGE && $SSH -R 5055:127.0.0.1:5055 $G \"docker pull -q $IMAGE && ",
            up!(),
            "\""
        ),
    },
    Way {
        name: "push",
        what: "registry in the guest, `docker push` through a tunnel",
        needs: &["docker", "docker-registry"],
        is_measured_slow: true,
        image: "127.0.0.1:5056/push",
        first: None,
        before: "",
        line: concat!(
            "docker build -q -t $IMAGE . && $SSH -f -N -M -S ../$N.sock -L 5056:127.0.0.1:5056 $G && docker push -q $IMAGE && \
             $SSH -S ../$N.sock $G \"docker pull -q $IMAGE && ",
            up!(),
            "\" && ssh -S ../$N.sock -O exit x 2>/dev/null"
        ),
    },
    Way {
        name: "skopeo",
        what: "the same with `skopeo copy` of a saved archive",
        needs: &["docker", "docker-registry", "skopeo"],
        is_measured_slow: false,
        image: "127.0.0.1:5056/skopeo",
        first: None,
        before: "",
        line: concat!(
            "docker build -q -t $IMAGE . && $SSH -f -N -M -S ../$N.sock -L 5056:127.0.0.1:5056 $G && \
             rm -f ../$N.tar && docker save -o ../$N.tar $IMAGE && skopeo copy -q --dest-tls-verify=false docker-archive:../$N.tar docker://$IMAGE:latest && \
             $SSH -S ../$N.sock $G \"docker pull -q $IMAGE && ",
            up!(),
            "\" && ssh -S ../$N.sock -O exit x 2>/dev/null"
        ),
    },
];

/// Ends the connections that earlier runs left open.
const CLOSE: &str = "for s in $HOME/.cache/plimsoll/plimsoll-ssh/*.sock; do [ ! -S $s ] || ssh -S $s -O exit x 2>/dev/null; done";

/// Watched for a while, as releases are: meanwhile the engine here pushes what it has not pushed before.
const FIRST: &str =
    "$PLIMSOLL deploy --app $N --build local --watch 20 --check-http http://{guest}:$PORT/version.txt";

const OURS: &str =
    "$PLIMSOLL deploy --app $N --build local --watch 0 --check-http http://{guest}:$PORT/version.txt";
