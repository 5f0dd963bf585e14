//! Programs that do not start with the default of a secret.

use plimsoll_model::compose::{EnvEntry, Operator, Service};
use plimsoll_model::{Facts, Kind};

/// Lines after a comparison in which its consequence stands.
const NEAR: usize = 6;

/// Whether the program that a service is built from ends at its start when it finds the default in place.
pub(super) fn is_refused(facts: &Facts, service: &Service, entry: &EnvEntry) -> bool {
    let [variable] = entry.variables.as_slice() else { return false };
    let Operator::Default { text: default, .. } = &variable.operator else { return false };
    let Some(build) = service.build.as_ref().filter(|_| !default.is_empty()) else { return false };
    let context = build.context.value.resolved.as_str().trim_start_matches("./").trim_matches('/');
    let in_production = service
        .environment
        .get("NODE_ENV")
        .is_some_and(|entry| entry.value.as_deref().map(str::trim) == Some("production"));
    facts.files.iter().any(|(id, file)| {
        let path = facts.path(id).as_str();
        let is_inside = matches!(context, "" | ".")
            || path.strip_prefix(context).is_some_and(|rest| rest.starts_with('/'));
        let is_program = matches!(facts.trees.kind(id), Kind::Python | Kind::JavaScript);
        is_inside
            && is_program
            && !path.contains("test")
            && refuses(file.text(), &entry.key, default, in_production)
    })
}

/// Whether a program compares the setting with the value and ends if they are alike.
fn refuses(text: &str, key: &str, value: &str, in_production: bool) -> bool {
    if !text.contains(value) {
        return false;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let quoted = [format!("'{value}'"), format!("\"{value}\"")];
    lines.iter().enumerate().any(|(at, line)| {
        let compares = line.starts_with("if")
            && line.contains(key)
            && line.contains("==")
            && !line.contains("!=")
            && quoted.iter().any(|quoted| line.contains(quoted.as_str()));
        compares && ends(&lines, at, in_production)
    })
}

/// Whether the branch that begins at a line ends the program, at once or by a list of what is wrong.
fn ends(lines: &[&str], at: usize, in_production: bool) -> bool {
    for line in lines.iter().skip(at).take(NEAR) {
        if line.contains("NODE_ENV") && !(in_production && is_for_production(line)) {
            return false;
        }
        if line.starts_with("} else") || line.starts_with("else") || line.starts_with("elif") {
            return false;
        }
        if stops(line) {
            return true;
        }
        let list = [".push(", ".append("].iter().find_map(|call| line.split_once(call));
        if let Some((list, _)) = list {
            return lines.iter().enumerate().any(|(asked, line)| {
                line.starts_with("if")
                    && line.contains(list)
                    && lines
                        .iter()
                        .skip(asked)
                        .take(NEAR)
                        .take_while(|line| **line != "}")
                        .any(|line| stops(line))
            });
        }
    }
    false
}

fn is_for_production(line: &str) -> bool {
    line.contains("==") && !line.contains("!=") && line.contains("production")
}

fn stops(line: &str) -> bool {
    ["throw ", "raise ", "process.exit(1", "sys.exit(1"].iter().any(|end| line.starts_with(end))
}

#[cfg(test)]
mod tests {
    use super::refuses;

    const LISTED: &str = "if (process.env.KEY === 'weak') {\n  if (process.env.NODE_ENV === 'production') {\n    missing.push('KEY');\n  }\n}\nif (missing.length > 0) {\n  missing.forEach(m => console.error(m));\n  process.exit(1);\n}\n";

    #[test]
    fn a_program_that_ends_with_the_default_refuses_it() {
        assert!(refuses(LISTED, "KEY", "weak", true));
        assert!(refuses(
            "if settings.KEY == \"weak\":\n    raise ValueError(\"set KEY\")\n",
            "KEY",
            "weak",
            false
        ));
    }

    #[test]
    fn a_warning_or_a_check_for_another_mode_refuses_nothing() {
        assert!(!refuses(LISTED, "KEY", "weak", false), "checked in production only");
        assert!(!refuses(LISTED, "KEY", "other", true));
        assert!(!refuses(&LISTED.replace("process.exit(1)", "console.warn(m)"), "KEY", "weak", true));
        assert!(!refuses("if (KEY === 'weak') {\n  warnings.push('KEY');\n}\n", "KEY", "weak", true));
    }
}
