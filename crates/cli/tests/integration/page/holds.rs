//! What must hold for the page of the example.

use std::path::PathBuf;

use serde_json::Value;

use super::browser::Browser;
use crate::sandbox::Sandbox;

const TAB: char = '\u{e004}';
const SHOWN: &str = "return document.getElementById('shown').value";
const VISIBLE: &str = "return document.querySelectorAll('.finding:not([hidden])').length";

fn page(sandbox: &Sandbox) -> PathBuf {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/papertrade");
    let run = sandbox.run(&["evaluate", example, "--document", "evaluation.html"]);
    assert!([0, 1].contains(&run.code), "{}", run.stderr);
    sandbox.path().join("evaluation.html")
}

#[expect(clippy::print_stderr, reason = "says why it does not run, also in the list of skipped checks")]
fn skip(why: &str) {
    use std::io::Write as _;
    let what = format!("the evaluation's page in a browser: {why}");
    eprintln!("skipped: {what}");
    if let Some(notes) = std::env::var_os("PLIMSOLL_SKIPPED") {
        let mut notes = std::fs::OpenOptions::new().append(true).create(true).open(notes).unwrap();
        writeln!(notes, "{what}").unwrap();
    }
}

fn number(browser: &Browser, script: &str) -> u64 {
    browser.run(script).as_u64().unwrap()
}

/// Nothing on the page is wider than the window, but what scrolls in a box of its own.
fn fits(browser: &Browser) {
    for (width, dark) in [(360, false), (360, true), (1440, false), (1440, true)] {
        browser.look(width, dark);
        let wider = browser.run(
            "document.querySelectorAll('details').forEach(one => one.open = true);
             const edge = document.documentElement.clientWidth + 1;
             return [document.documentElement.scrollWidth > edge ? 'page' : null]
               .concat(Array.from(document.querySelectorAll('main *, .side *, header *'))
                 .filter(one => !one.closest('.scroll > *') && one.getBoundingClientRect().right > edge)
                 .map(one => one.outerHTML.slice(0, 200))).filter(one => one)",
        );
        assert_eq!(wider, Value::Array(Vec::new()), "at {width} pixels");
        let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper == "rgb(255, 255, 255)", !dark, "{paper}");
    }
}

fn drawings_have_names(browser: &Browser) {
    let nameless = browser.run(
        "return Array.from(document.querySelectorAll('svg')).filter(svg => {
           const ids = (svg.getAttribute('aria-labelledby') || '').split(' ');
           return svg.getAttribute('role') !== 'img' || !ids.every(id => document.getElementById(id)?.textContent.trim());
         }).map(svg => svg.outerHTML.slice(0, 200))",
    );
    assert_eq!(nameless, Value::Array(Vec::new()));
    assert_eq!(number(browser, "return document.querySelectorAll('svg').length"), 2);
}

fn links_lead_somewhere(browser: &Browser) {
    let lost = browser.run(
        "const ids = Array.from(document.querySelectorAll('[id]'), one => one.id);
         const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
         const links = Array.from(document.querySelectorAll('a[href^=\"#\"]'), one => one.getAttribute('href').slice(1));
         return twice.concat(links.filter(id => !document.getElementById(id)))",
    );
    assert_eq!(lost, Value::Array(Vec::new()), "ids that are there twice, and links to nowhere");
}

/// Tab, space and letters only.
fn filters_by_keyboard(browser: &Browser) {
    let all = number(browser, VISIBLE);
    assert!(all > 20, "{all} findings");
    let critical =
        number(browser, "return document.querySelectorAll('.finding[data-severity=critical]').length");
    assert!(critical > 0);
    browser.run("document.querySelector('nav li:last-child > a').focus()");
    let focused = "return document.activeElement.name + ' ' + document.activeElement.value";
    let mut tabs = 0;
    while browser.run(focused) != "severity critical" {
        browser.keys(&TAB.to_string());
        tabs += 1;
        assert!(tabs < 40, "the filter cannot be reached: {}", browser.run(focused));
    }
    browser.keys(" ");
    assert_eq!(number(browser, VISIBLE), all - critical);
    assert_eq!(browser.run(SHOWN), format!("{} of {all} findings", all - critical));
    browser.keys(" ");
    assert_eq!(number(browser, VISIBLE), all);

    while !browser.run(focused).as_str().unwrap().starts_with("theme ") {
        browser.keys(&TAB.to_string());
    }
    let theme = browser.run("return document.activeElement.value");
    let themed = format!(
        "return document.querySelectorAll('.finding[data-theme={}]').length",
        theme.as_str().unwrap()
    );
    browser.keys(" ");
    assert_eq!(number(browser, VISIBLE), all - number(browser, &themed));

    while !browser.run(focused).as_str().unwrap().starts_with("words ") {
        browser.keys(&TAB.to_string());
    }
    browser.keys("no finding says this");
    assert_eq!(number(browser, VISIBLE), 0);
    browser.keys(&TAB.to_string());
    browser.keys(" ");
    // The boxes are set again after the button's own event.
    browser.run("return new Promise(done => setTimeout(done, 50))");
    assert_eq!(number(browser, VISIBLE), all, "the button shows all");

    // A link to a finding that the filter hides shows it.
    browser.run("document.querySelectorAll('[name=severity]').forEach(one => one.click())");
    assert_eq!(number(browser, VISIBLE), 0);
    browser.run("location.hash = document.querySelector('.finding').id");
    browser.run("return new Promise(done => setTimeout(done, 100))");
    assert_eq!(number(browser, VISIBLE), all);
}

/// The page itself is all that is asked for.
fn asks_for_nothing(browser: &Browser) {
    let asked: Vec<String> = browser
        .log("performance")
        .iter()
        .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok())
        .filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent")
        .filter_map(|entry| entry["message"]["params"]["request"]["url"].as_str().map(str::to_owned))
        .filter(|url| !url.starts_with("data:") && !url.ends_with("/evaluation.html"))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
}

#[test]
fn the_page_works_in_a_browser_by_keyboard_and_without_a_network() {
    let sandbox = Sandbox::new();
    let browser = match Browser::start(sandbox.path()) {
        Ok(browser) => browser,
        Err(why) => return skip(&why),
    };
    browser.look(1440, false);
    browser.open(&page(&sandbox));
    drawings_have_names(&browser);
    links_lead_somewhere(&browser);
    filters_by_keyboard(&browser);
    fits(&browser);
    assert!(browser.print().len() > 50_000, "it prints");
    let complaints = browser.log("browser");
    assert_eq!(complaints, Vec::<Value>::new());
    asks_for_nothing(&browser);
}

#[test]
fn without_script_everything_is_visible() {
    let sandbox = Sandbox::new();
    page(&sandbox);
    let text = sandbox.read("evaluation.html");
    assert!(text.starts_with("<!doctype html>\n<!-- plimsoll:document -->\n"));
    assert!(text.contains("<form id=\"filter\" aria-label=\"Filter findings\" hidden>"));
    let findings = text.split("class=\"finding ").skip(1);
    assert!(findings.clone().count() > 20);
    assert!(findings.into_iter().all(|one| !one.split('>').next().unwrap().contains("hidden")));
    for outside in ["src=", "@import", "url(http", "<link rel=\"stylesheet", "<iframe", "<object"] {
        let markup = text.replace("url(#", "");
        assert!(!markup.split("<body>").next().unwrap().contains(outside), "{outside}");
    }
}
