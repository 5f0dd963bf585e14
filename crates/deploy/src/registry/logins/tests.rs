use super::*;

async fn found(text: &str, image: &str) -> Result<Option<(String, String)>, LoginError> {
    let login = find("/home/x/.docker/config.json", text, &Reference::parse(image)).await?;
    Ok(login.map(|login| (login.user.clone(), String::from_utf8(login.config()).unwrap())))
}

fn auth(both: &str) -> String {
    STANDARD.encode(both)
}

#[tokio::test]
async fn a_registry_is_known_under_all_its_names() {
    let hub = auth("ann:horse");
    for key in
        ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/"]
    {
        let text = format!(r#"{{"auths": {{"{key}": {{"auth": "{hub}"}}}}}}"#);
        for image in ["redis", "docker.io/library/redis:7", "org/x@sha256:a"] {
            let (user, config) = found(&text, image).await.unwrap().unwrap();
            assert_eq!(user, "ann");
            assert_eq!(
                config,
                format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{hub}"}}}}}}"#)
            );
        }
        assert!(found(&text, "ghcr.io/o/x").await.unwrap().is_none());
    }
    for key in ["Host:5000", "http://host:5000", "https://host:5000/v2/"] {
        let text = format!(r#"{{"auths": {{"{key}": {{"auth": "{hub}"}}}}}}"#);
        assert!(found(&text, "host:5000/x").await.unwrap().is_some(), "{key}");
        assert!(found(&text, "host:5001/x").await.unwrap().is_none(), "{key}");
    }
}

#[tokio::test]
async fn of_podmans_keys_the_longest_counts() {
    let (all, some) = (auth("all:1"), auth("some:2"));
    let text =
        format!(r#"{{"auths": {{"quay.io": {{"auth": "{all}"}}, "quay.io/org": {{"auth": "{some}"}}}}}}"#);
    for (image, user) in [("quay.io/org/x", "some"), ("quay.io/organ/x", "all"), ("quay.io/y", "all")] {
        assert_eq!(found(&text, image).await.unwrap().unwrap().0, user, "{image}");
    }
}

#[tokio::test]
async fn tokens_and_open_fields_are_logins_and_an_empty_entry_is_none() {
    let text = r#"{"auths": {"a.io": {"identitytoken": "tok"}, "b.io": {"username": "bob", "password": "pw"}, "c.io": {},
        "d.io": {"auth": ""}}, "HttpHeaders": {"User-Agent": "x"}}"#;
    let (user, config) = found(text, "a.io/x").await.unwrap().unwrap();
    assert_eq!((user.as_str(), config.as_str()), ("", r#"{"auths":{"a.io":{"identitytoken":"tok"}}}"#));
    let (user, config) = found(text, "b.io/x").await.unwrap().unwrap();
    assert_eq!((user.as_str(), config.contains(&auth("bob:pw"))), ("bob", true));
    for image in ["c.io/x", "d.io/x", "e.io/x"] {
        assert!(found(text, image).await.unwrap().is_none(), "{image}");
    }
    assert!(found(" \n", "a.io/x").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_wrong_in_a_file_is_named_by_its_place_and_never_quoted() {
    let said = async |text: &str| found(text, "a.io/x").await.unwrap_err().to_string();
    assert_eq!(
        said("{\n  \"auths\": {\n    \"a.io\" {}\n").await,
        "`/home/x/.docker/config.json:3:12` is not what `docker login` writes: expected `:`"
    );
    let other = said(r#"{"auths": {"a.io": "c2VjcmV0"}}"#).await;
    assert!(other.contains("config.json:1:29") && !other.contains("c2VjcmV0"), "{other}");
    for wrong in ["c2VjcmV0", "%%%", "/////w=="] {
        let other = said(&format!(r#"{{"auths": {{"a.io": {{"auth": "{wrong}"}}}}}}"#)).await;
        assert!(other.contains("`user:password`") && !other.contains(wrong), "{other}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_or_is_no_name_is_named() {
    for (helper, reason) in [("plimsoll-has-none", "No such file"), ("../x", "no name of a program")] {
        let text = format!(r#"{{"credHelpers": {{"a.io": "{helper}"}}}}"#);
        let error = found(&text, "a.io/x").await.unwrap_err().to_string();
        assert!(error.contains(helper) && error.contains(reason), "{error}");
        assert!(found(&text, "b.io/x").await.unwrap().is_none(), "it is for another registry");
    }
}

#[tokio::test]
async fn files_that_are_not_there_hold_nothing_and_the_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |both: &str| format!(r#"{{"auths": {{"a.io": {{"auth": "{}"}}}}}}"#, auth(both));
    #[expect(clippy::disallowed_methods, reason = "prepares files of a test")]
    let write = |name: &str, both: &str| std::fs::write(path(name), text(both)).unwrap();
    write("one", "one:1");
    write("two", "two:2");
    let logins = Logins { files: vec![path("none"), path("one"), path("two")] };
    let login = logins.find(&Reference::parse("a.io/x")).await.unwrap().unwrap();
    assert_eq!(login.user, "one");
    let logins = Logins { files: vec![folder.path().to_owned()] };
    assert!(matches!(logins.find(&Reference::parse("a.io/x")).await, Err(LoginError::Read { .. })));
}

#[tokio::test]
async fn a_login_is_shown_nowhere() {
    let text = format!(r#"{{"auths": {{"a.io": {{"auth": "{}"}}}}}}"#, auth("ann:horse"));
    let login = find("config.json", &text, &Reference::parse("a.io/x")).await.unwrap().unwrap();
    let shown = format!("{login:?}");
    assert!(!shown.contains("horse") && !shown.contains(&auth("ann:horse")), "{shown}");
    let said = format!("denied for ann with horse ({})", auth("ann:horse"));
    assert_eq!(login.redact(&said), "denied for ann with … (…)");
}

#[test]
fn programs_give_passwords_or_tokens() {
    let config = |said: &str| {
        let login = answered(said, "test", "a.io").unwrap();
        String::from_utf8(login.config()).unwrap()
    };
    let said = r#"{"ServerURL": "a.io", "Username": "ann", "Secret": "horse"}"#;
    assert_eq!(config(said), format!(r#"{{"auths":{{"a.io":{{"auth":"{}"}}}}}}"#, auth("ann:horse")));
    let said = r#"{"Username": "<token>", "Secret": "tok"}"#;
    assert_eq!(config(said), r#"{"auths":{"a.io":{"identitytoken":"tok"}}}"#);
    assert!(answered("horse", "test", "a.io").is_none());
}
