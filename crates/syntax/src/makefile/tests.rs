use proptest::prelude::*;

use super::*;
use crate::testing::whole;

const TEXT: &str = "HOST ?= root@pve # where\nTAG := $(shell git describe)\nexport A=1\n-include .env\n\
    .PHONY: deploy logs\n# Ships it.\ndeploy: build | dir\n\t@ssh $(HOST) \"echo $$HOME; \\\n\t  run ${TAG}\"\n\
    \t-docker ps $(call f,x)\n\nlogs: ; tail -f x\nbuild test: ## Makes it\n\techo $(shell date) $@\ndeploy: X = 1\n";

#[test]
fn recipes_read_as_the_shell_gets_them() {
    let tree = parse(&whole(TEXT));
    assert_eq!(tree.errors, []);
    let names: Vec<&str> = tree.targets.iter().map(|target| target.name.value.as_str()).collect();
    assert_eq!(names, ["deploy", "logs", "build", "test"]);
    let deploy = &tree.targets[0];
    assert_eq!(deploy.doc.as_ref().unwrap().value, "Ships it.");
    assert_eq!(deploy.dependencies[0].value, "build");
    let [first, second] = deploy.recipe.as_slice() else { panic!() };
    assert!(first.silent && second.ignores_errors);
    assert_eq!(first.shell.text(), "ssh ${HOST} \"echo $HOME; \\\n  run ${TAG}\"");
    let at = first.shell.text().find("HOST").unwrap();
    assert_eq!(&TEXT[first.shell.span(at..at + 4).range()], "HOST");
    assert_eq!(second.shell.text(), "docker ps $(call f,x)");
    assert_eq!(tree.targets[1].recipe[0].shell.text(), "tail -f x");
    assert_eq!(tree.targets[3].recipe[0].shell.text(), "echo $(date) $@");
    assert_eq!(tree.targets[3].doc.as_ref().unwrap().value, "Makes it");
}

#[test]
fn variables_know_their_operator_and_target() {
    let tree = parse(&whole(TEXT));
    let all: Vec<(&str, &str, &str, Option<&str>)> = tree
        .variables
        .iter()
        .map(|one| (one.name.value.as_str(), one.operator.as_str(), one.value.text(), one.target.as_deref()))
        .collect();
    let expected = [
        ("HOST", "?=", "root@pve", None),
        ("TAG", ":=", "$(git describe)", None),
        ("A", "=", "1", None),
        ("X", "=", "1", Some("deploy")),
    ];
    assert_eq!(all, expected);
    assert!(tree.variables[2].exported);
    assert_eq!(tree.includes[0].value, ".env");
    assert_eq!(tree.phony.len(), 2);
}

proptest! {
    #[test]
    fn any_text_gives_targets_inside_it(text in "([ -~é\t]|\n|\n\t|a: |b = |\\$\\(|\\)|\\\\\n|;|#){0,60}") {
        for target in parse(&whole(&text)).targets {
            prop_assert!(text.get(target.place.span.range()).is_some());
            for line in target.recipe {
                prop_assert!(text.get(line.shell.full_place().span.range()).is_some());
            }
        }
    }
}
