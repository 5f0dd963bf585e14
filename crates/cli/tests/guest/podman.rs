//! Images that Podman builds on this machine.

use plimsoll_lab::host::STAND_INS;

use crate::app::App;

const DOCKERFILE: &str = "FROM localhost/nginx:alpine\nCOPY packages /packages\nCOPY version.txt /usr/share/nginx/html/version.txt\n\
    HEALTHCHECK --interval=1s CMD test -f /usr/share/nginx/html/version.txt\n";

const BUILT: &str =
    "services:\n  web:\n    build: web\n    ports: [\"18092:80\"]\n    stop_grace_period: 1s\n";

/// Builds with this machine's Podman, in a store of the test's own that holds a stand-in; `false`, said in words, where there
/// is none.
fn build_with_podman(app: &mut App) -> bool {
    let one = STAND_INS.iter().find(|one| one.name == "nginx").unwrap();
    let archive = one.archive(&crate::lab::cache()).display().to_string();
    if app.start("podman", &["--version"]).is_none() {
        println!("skipped: no podman on this machine (Debian's podman)");
        return false;
    }
    let folder = app.folder.path().join("containers");
    let path = |name: &str| folder.join(name).display().to_string();
    // No Docker answers there.
    app.build_with(&format!("unix://{}", path("none.sock")));
    app.with("CONTAINERS_STORAGE_CONF", &path("storage.conf"));
    app.with("BUILDAH_ISOLATION", "chroot");
    // Where there is no overlay, each layer is a copy.
    let is_loaded = ["overlay", "vfs"].into_iter().any(|driver| {
        let store = path(driver);
        let text = format!(
            "[storage]\ndriver = \"{driver}\"\ngraphroot = \"{store}\"\nrunroot = \"{store}-run\"\n\
             [storage.options.overlay]\nskip_mount_home = \"true\"\n"
        );
        app.at_home("containers/storage.conf", Some(&text));
        let output = app.start("podman", &["load", "--quiet", "--input", &archive]);
        output.is_some_and(|output| output.status.success())
    });
    assert!(is_loaded, "podman loads nothing");
    true
}

#[test]
fn an_image_that_podman_built_goes_over_without_the_layers_that_are_there() {
    let Some(mut app) = App::new("plimsoll-test-podman", 18092) else { return };
    if !app.load(&["nginx"]) || !build_with_podman(&mut app) {
        return;
    }
    app.write("compose.yaml", BUILT);
    app.write("web/Dockerfile", DOCKERFILE);
    app.write("web/packages", &crate::whole::noise(1 << 20, 7));
    let deploy = [app.deploy(), vec!["--format".to_owned(), "json".to_owned()]].concat();
    let deploy: Vec<&str> = deploy.iter().map(String::as_str).collect();
    let sent = |app: &App| {
        let said = app.ok(&deploy);
        let sent =
            said.split("\"sent\":").last().and_then(|rest| rest.split(',').next()?.parse::<u64>().ok());
        sent.unwrap_or_else(|| panic!("{said}"))
    };
    let first = sent(&app);
    assert_eq!(app.served().as_deref(), Some("1"));
    let health = "docker inspect -f '{{.State.Health.Status}}' $1-web-1";
    assert_eq!(app.guest(health).trim(), "healthy", "the check of the Dockerfile came along");
    assert!((500_000..2 << 20).contains(&first), "the base stays here: {first} bytes");

    // One line, and the layer above the packages.
    app.version("2");
    app.with("PLIMSOLL_ENGINE", "podman");
    let line = sent(&app);
    assert_eq!(app.served().as_deref(), Some("2"));
    println!("sent: {first} bytes first, {line} for a line");
    assert!(line < 10_000, "{line}");
    assert!(app.ok(&["rollback"]).contains("release 1 of"));
    assert_eq!(app.served().as_deref(), Some("1"));

    // An image of a registry that only Podman has, in a format of its own, which becomes another one on the way.
    let words = ["build", "--quiet", "--format", "oci", "--tag", "docker.io/shop/web:1", "web"];
    assert!(app.start("podman", &words).unwrap().status.success());
    let compose =
        "services:\n  web:\n    image: shop/web:1\n    ports: [\"18092:80\"]\n    stop_grace_period: 1s\n";
    app.write("compose.yaml", compose);
    app.ok(&deploy);
    assert_eq!(app.guest("docker inspect -f '{{.Config.Image}}' $1-web-1 | head -c 7"), "sha256:");
    assert_eq!(app.served().as_deref(), Some("2"));

    app.write("compose.yaml", BUILT);
    app.version("3");
    app.with("PLIMSOLL_ENGINE", "docker");
    let output = app.run(&deploy);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no Docker Engine answers here"), "{said}");
}
