//! Programs that serve an application while it is written.

/// What development mode costs, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Harm {
    /// Strangers may run code.
    Code,
    /// Strangers see what is inside.
    Details,
    /// It costs time and memory.
    Slow,
}

/// A server for development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DevelopmentServer {
    /// Its name for people.
    pub what: &'static str,
    /// What it costs.
    pub harm: Harm,
}

/// The server for development that these words start. Sources: the manuals of the programs, which say so themselves.
pub(super) fn development_server(words: &[String]) -> Option<DevelopmentServer> {
    let tokens: Vec<&str> = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(|token| token.trim_matches(['"', '\'', ';']))
        .collect();
    let name = |token: &str| token.rsplit('/').next().unwrap_or(token).to_owned();
    let names: Vec<String> = tokens.iter().map(|token| name(token)).collect();
    let has = |word: &str| names.iter().any(|own| own == word);
    let pair = |first: &str, second: &str| {
        names.windows(2).any(|two| matches!(two, [a, b] if a == first && b == second))
    };
    let server = |what, harm| Some(DevelopmentServer { what, harm });
    if has("flask") && has("run") {
        return server("Flask's own server", if has("--debug") { Harm::Code } else { Harm::Details });
    }
    if has("manage.py") && (has("runserver") || has("runserver_plus")) {
        return server("Django's `runserver`", Harm::Details);
    }
    if has("--reload") && ["uvicorn", "gunicorn", "hypercorn", "granian", "fastapi"].into_iter().any(has) {
        return server("a server with `--reload`", Harm::Slow);
    }
    if pair("fastapi", "dev") {
        return server("`fastapi dev`", Harm::Slow);
    }
    let runs = |script: &str| {
        ["npm", "pnpm", "yarn", "bun"]
            .into_iter()
            .any(|manager| pair(manager, script) && manager != "npm" || has(manager) && pair("run", script))
    };
    if runs("dev") || runs("start:dev") || runs("serve:dev") {
        return server("the `dev` script", Harm::Details);
    }
    for (program, verb) in [
        ("next", "dev"),
        ("nuxt", "dev"),
        ("astro", "dev"),
        ("remix", "dev"),
        ("ng", "serve"),
        ("webpack", "serve"),
        ("react-scripts", "start"),
        ("vue-cli-service", "serve"),
        ("artisan", "serve"),
    ] {
        if pair(program, verb) {
            return server("a development server", Harm::Details);
        }
    }
    if has("webpack-dev-server") || has("vite") && !has("build") && !has("preview") {
        return server("a development server", Harm::Details);
    }
    if has("start-dev") {
        return server("`start-dev`", Harm::Details);
    }
    if has("vault") && has("server") && has("-dev") {
        return server("Vault's dev mode, which keeps secrets in memory and has a known token,", Harm::Code);
    }
    for program in ["nodemon", "ts-node", "ts-node-dev", "babel-node"] {
        if has(program) {
            return server("a compiler in place of compiled code", Harm::Slow);
        }
    }
    if pair("tsx", "watch") || pair("node", "--watch") || pair("go", "run") || pair("cargo", "run") {
        return server("a compiler or watcher in place of compiled code", Harm::Slow);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(line: &str) -> Option<&'static str> {
        development_server(&[line.to_owned()]).map(|server| server.what)
    }

    #[test]
    fn production_servers_pass() {
        for line in [
            "gunicorn -w 4 app:app",
            "node dist/server.js",
            "npm run start",
            "vite build",
            "next start",
            "/opt/keycloak/bin/kc.sh start --optimized",
            "python manage.py migrate",
        ] {
            assert_eq!(what(line), None, "{line}");
        }
    }

    #[test]
    fn development_servers_are_known_in_any_dress() {
        for line in [
            "sh -c \"flask run --host 0.0.0.0\"",
            "python manage.py runserver 0.0.0.0:8000",
            "yarn dev",
            "npm run dev -- --host",
            "npx vite --host",
            "/usr/local/bin/uvicorn app:app --reload",
            "npx ts-node server.ts",
            "start-dev",
        ] {
            assert!(what(line).is_some(), "{line}");
        }
    }
}
