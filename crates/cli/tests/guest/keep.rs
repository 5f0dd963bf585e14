//! Backups, drills and restores of a guest on its node.

use crate::app::App;
use crate::made::Site;

/// The row that the database holds.
fn row(app: &App) -> String {
    app.guest("docker exec $1-db-1 cat /data/row").trim().to_owned()
}

fn write(app: &App, row: &str) {
    app.guest(&format!("docker exec $1-db-1 sh -c 'echo {row} >/data/row'; sync"));
}

/// Output on both streams, and the exit code.
fn said(app: &App, args: &[&str]) -> (String, Option<i32>) {
    let output = app.run(args);
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.code())
}

#[test]
fn a_row_comes_back_from_a_backup_that_was_tried() {
    let Some(mut app) = App::new("plimsoll-test-keep", 18101) else { return };
    if !app.on_node("adopt", "") {
        return;
    }
    let name = ["--name", "plimsoll-test-keep/test"];
    app.ok(&["deploy"]);
    write(&app, "first");
    let made = app.ok(&["backup", "create", "--reason", "a row"]);
    assert!(made.contains("guest 107 of plimsoll-test-keep/test is backed up"), "{made}");
    write(&app, "second");
    let list = app.ok(&["backup", "list"]);
    assert!(list.contains("a row") && list.lines().count() == 1, "{list}");

    // The drill's guest has the backup's data and an address of its own, and is gone afterwards.
    let address = format!("{}/24", app.beside(9));
    let drill = app.ok(&["backup", "drill", "--address", &address]);
    assert!(
        drill.contains("release 1 serves, healthy") && drill.contains("3 services are healthy"),
        "{drill}"
    );
    println!("{drill}");
    let unplugged = app.ok(&["backup", "drill"]);
    assert!(unplugged.contains("it boots; nothing inside could be asked"), "{unplugged}");
    assert_eq!(app.served().as_deref(), Some("1"), "the app served all the time");
    assert_eq!(row(&app), "second");

    // A client that is killed in a drill leaves a guest, which the next drill takes away.
    let mut killed = app.spawn(&["backup", "drill", "--address", &address]);
    app.until_guests(2);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let (again, code) = said(&app, &["backup", "drill"]);
    assert!(code == Some(0) && again.contains("which a drill left that was cut off"), "{again}");
    assert_eq!(app.guests(), [107]);

    let (wrong, code) = said(&app, &["backup", "restore", "--yes", "--name", "other/test"]);
    assert!(code == Some(2) && wrong.contains("nothing was done"), "{wrong}");
    let (back, code) = said(&app, &[&["backup", "restore", "--yes"], name.as_slice()].concat());
    assert!(code == Some(0) && back.contains("release 1 serves"), "{back}");
    println!("{back}");
    app.reconnect();
    assert_eq!(row(&app), "first");
    // What was there before is kept under its own reason and brings the other row back.
    let list = app.ok(&["backup", "list"]);
    let before = list.lines().find(|line| line.contains("before a restore")).unwrap();
    let volume = before.split_whitespace().find(|word| word.starts_with("local:backup/")).unwrap();
    app.ok(&[&["backup", "restore", volume, "--no-backup", "--yes"], name.as_slice()].concat());
    app.reconnect();
    assert_eq!(row(&app), "second");

    // Only so many are kept.
    app.ok(&["backup", "create"]);
    let (made, _) = said(&app, &["backup", "create"]);
    assert!(made.contains("no longer kept: local:backup/"), "{made}");
    assert_eq!(app.ok(&["backup", "list"]).lines().count(), 2);
}

#[test]
fn a_client_killed_in_a_restore_leaves_what_the_same_command_finishes() {
    let Some(mut app) = App::new("plimsoll-test-again", 18103) else { return };
    if !app.on_node("adopt", "") {
        return;
    }
    app.ok(&["deploy"]);
    write(&app, "first");
    app.ok(&["backup", "create"]);
    write(&app, "second");
    let restore = ["backup", "restore", "--yes", "--name", "plimsoll-test-again/test", "--no-backup"];
    // While it stops, while it unpacks, when it has just started.
    for pause in [300, 1_500, 3_000, 6_000] {
        let mut killed = app.spawn(&restore);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        drop(killed.kill());
        killed.wait().unwrap();
    }
    app.ok(&restore);
    app.reconnect();
    assert_eq!((app.guests(), row(&app)), (vec![107], "first".to_owned()));
    assert_eq!(app.served().as_deref(), Some("1"));
}

#[test]
fn a_guest_goes_only_by_its_name_and_comes_back_from_its_last_backup() {
    let Some(mut site) = Site::new() else { return };
    let text = site.configuration() + "    backup: {storage: local}\n";
    site.write("plimsoll.yaml", &text);
    site.grant();
    let guests = || site.runtime.block_on(site.node.guests());
    let cat = ["exec", "web", "--", "/bin/busybox", "cat", "/data/row"];
    site.ok(&["deploy", "--yes"]);
    site.ok(&["exec", "web", "--", "/bin/busybox", "sh", "-c", "echo last >/data/row; sync"]);
    for wrong in [&["--yes", "--name", "shop"][..], &["--yes"]] {
        let output = site.run(&[&["destroy"], wrong].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains("nothing was done"), "{text}");
    }
    assert_eq!((guests(), site.ok(&cat).trim()), (vec![100], "last"));
    // A guest beside it is not taken for it.
    site.ok(&["backup", "create"]);
    let beside = site.ok(&["backup", "restore", "--to", "205"]);
    assert!(beside.contains("guest 205 is local:backup/") && beside.contains("it is stopped"), "{beside}");
    assert_eq!(guests(), [100, 205]);
    assert!(site.ok(&["status"]).contains("release 1"));
    let taken = site.run(&["backup", "restore", "--to", "205"]);
    assert!(String::from_utf8_lossy(&taken.stderr).contains("there is a guest 205 already"));
    let sure = ["--yes", "--name", "shop/production"];
    let output = site.run(&[&["destroy"], sure.as_slice()].concat());
    let text = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert!(text.contains("the backup boots") && text.contains("is gone; local:backup/"), "{text}");
    println!("{text}");
    assert_eq!(guests(), [205]);
    assert!(
        site.ok(&[&["destroy"], sure.as_slice()].concat()).contains("there is no guest of shop/production")
    );
    site.ok(&[&["backup", "restore"], sure.as_slice()].concat());
    assert_eq!((guests(), site.ok(&cat).trim()), (vec![100, 205], "last"));
    assert_eq!(site.served().as_deref(), Some("1"));
    site.close();
}
