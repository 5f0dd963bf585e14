use camino::Utf8PathBuf;
use plimsoll_text::Files;

use super::*;
use crate::{Inventory, Trees};

fn read(list: &[(&str, &str)]) -> (Application, Files) {
    let files = Files::new(list.iter().map(|(path, text)| (Utf8PathBuf::from(*path), (*text).to_owned())));
    let inventory = Inventory::new(list.iter().map(|(path, _)| Utf8PathBuf::from(*path)));
    let trees = Trees::new(&files, None);
    (Application::new(&files, &inventory, &trees, None), files)
}

fn env(path: &str, text: &str) -> Vec<String> {
    let (application, files) = read(&[(path, text)]);
    let show = |read: &EnvRead| {
        assert!(!files.slice(read.place).is_empty());
        let presence = match &read.presence {
            Presence::Required => "!".to_owned(),
            Presence::Optional => "?".to_owned(),
            Presence::Default(value) => format!("={}", value.value),
        };
        let phase = if read.phase == Phase::Build { " build" } else { "" };
        format!("{}{presence}{phase}", read.name)
    };
    application.env_reads.iter().map(show).collect()
}

#[test]
fn python_reads_know_defaults_and_checks() {
    let text = "import os\nfrom os import getenv\nA = os.environ['A']\nB = int(os.getenv('B', '5'))\n\
        C = os.environ.get('C') or 'x'\nkey = getenv('D', '')\nif not key:\n    raise ValueError\n\
        E = os.getenv('E')\nos.environ['F'] = '1'\nG = 'G' in os.environ\nH = os.getenv('H', default())\n";
    assert_eq!(env("app/config.py", text), ["A!", "B=5", "C=x", "D!", "E?", "G?", "H?"]);
    assert!(env("tests/test_config.py", text).is_empty());
}

#[test]
fn fields_of_settings_classes_are_variables() {
    let text = "from pydantic_settings import BaseSettings, SettingsConfigDict\nclass Base(BaseSettings):\n    \
        model_config = SettingsConfigDict(env_prefix='APP_')\n    url: str\n    debug: bool = False\n    \
        name: str | None = None\n    key: str = Field(..., alias='API_KEY')\n    n: int = Field(default=3)\n\
        class More(Base):\n    z: str\n";
    let expected = ["APP_URL!", "APP_DEBUG=False", "APP_NAME?", "API_KEY!", "APP_N=3", "APP_Z!"];
    assert_eq!(env("app/settings.py", text), expected);
}

#[test]
fn javascript_reads_know_bundles_defaults_and_checks() {
    let text = "const KEY = import.meta.env.VITE_KEY\nif (!KEY) { throw new Error('x') }\n\
        const url = import.meta.env.VITE_URL || 'http://localhost:8000';\nimport.meta.env.DEV;\n\
        const { A, B = 'b' } = process.env;\nconst p = process.env['PORT'] ?? 3000, d = process.env.DB!;\n\
        process.env.X = '1';\n`${process.env.NEXT_PUBLIC_Y}`; // process.env.NO\n\
        const env = z.object({ SECRET: z.string(), LEVEL: z.string().default('info') }).parse(process.env)";
    let expected = [
        "VITE_KEY! build",
        "VITE_URL=http://localhost:8000 build",
        "A?",
        "B=b",
        "PORT=3000",
        "DB!",
        "NEXT_PUBLIC_Y? build",
        "SECRET!",
        "LEVEL=info",
    ];
    assert_eq!(env("web/src/main.tsx", text), expected);
}

#[test]
fn lists_of_required_names_and_refused_values_are_found() {
    let text = "const requiredEnv = ['DATABASE_URL', 'JWT_SECRET']\nfor (const key of requiredEnv) {\n\
        if (!process.env[key]) throw new Error(key)\n}\nif (process.env.JWT_SECRET === 'change-me') { throw 1 }";
    assert_eq!(env("api/env.js", text), ["DATABASE_URL!", "JWT_SECRET!", "JWT_SECRET?"]);
    let (application, _) = read(&[("api/env.js", text)]);
    assert_eq!(application.refused[0].value, "change-me");
    let text = "import os\nREQUIRED = ['A', 'B']\nWEAK = {'changeme', 'secret'}\nkey = os.getenv('C')\n\
        if key in WEAK or key == 'x':\n    raise ValueError\n";
    assert_eq!(env("api/config.py", text), ["A!", "B!", "C?"]);
    let (application, _) = read(&[("api/config.py", text)]);
    let refused: Vec<&str> = application.refused.iter().map(|text| text.value.as_str()).collect();
    assert_eq!(refused, ["changeme", "secret", "x"]);
}

#[test]
fn go_and_rust_reads_are_found() {
    let go = "p := os.Getenv(\"PORT\")\ntype C struct {\n U string `env:\"URL,required\"`\n L string `env:\"L\" envDefault:\"i\"`\n}";
    assert_eq!(env("main.go", go), ["PORT?", "URL!", "L=i"]);
    let rust = "let a = env::var(\"A\")?; let b = std::env::var(\"B\").unwrap_or_else(|_| \"x\".into());\n\
        let c = env!(\"C\");\nstruct O { #[arg(long, env = \"D\", default_value = \"y\")] d: String }";
    assert_eq!(env("src/main.rs", rust), ["A!", "B=x", "C! build", "D=y"]);
}

#[test]
fn routes_carry_the_prefixes_and_the_authentication_of_what_includes_them() {
    let api = "from fastapi import APIRouter, Depends\nrouter = APIRouter(prefix='/debug')\n\
        @router.get('')\nasync def info(session: SessionDep):\n    return {'a': session}\n\
        @router.post('/x', dependencies=[Depends(get_current_user)])\ndef x(): return 1\n\
        @router.delete('/y')\ndef y(user: CurrentUserDep): pass\n@router.put('/z')\ndef z(user: UserCreate): pass\n";
    let main = "from fastapi import FastAPI\nfrom app.api.debug import router as debug_router\nfrom app.api import admin\n\
        app = FastAPI(docs_url='/docs', redoc_url=None)\napp.include_router(debug_router, prefix='/api/v1')\n\
        app.include_router(admin.router, prefix='/admin', dependencies=[Depends(require_admin)])\n\
        @app.get('/health')\ndef health():\n    '''Up?'''\n    return {'status': 'ok'}\n";
    let admin = "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/all')\ndef all(): return rows()\n";
    let (application, files) =
        read(&[("src/app/api/debug.py", api), ("src/app/main.py", main), ("src/app/api/admin.py", admin)]);
    let routes: Vec<String> = application
        .routes
        .iter()
        .map(|route| {
            let locked = if route.authentication.is_some() { " locked" } else { "" };
            format!("{} {}{locked} {:?}", route.method.as_deref().unwrap_or("*"), route.path, route.body)
        })
        .collect();
    let expected = [
        "GET /admin/all locked Computed",
        "GET /api/v1/debug Computed",
        "POST /api/v1/debug/x locked Constant",
        "DELETE /api/v1/debug/y locked Unknown",
        "PUT /api/v1/debug/z Unknown",
        "GET /health Constant",
    ];
    assert_eq!(routes, expected);
    let docs: Vec<(&str, &str)> =
        application.api_docs.iter().map(|docs| (docs.path.as_str(), files.slice(docs.place))).collect();
    assert_eq!(docs, [("/docs", "'/docs'")]);
}

#[test]
fn express_routes_and_ports_are_found() {
    let text = "const express = require('express')\nconst PORT = process.env.PORT || 3000\nconst app = express()\n\
        app.use(cors({ origin: ['http://localhost:5173'], credentials: true }))\n\
        app.get('/health', (req, res) => res.json({ status: 'ok' }))\n\
        app.get('/users', requireAuth, async (req, res) => { res.json(await db.all()) })\napp.listen(PORT, '0.0.0.0')";
    let (application, _) = read(&[("api/server.js", text)]);
    let [health, users] = application.routes.as_slice() else { panic!("{:?}", application.routes) };
    assert_eq!((health.body, health.authentication.is_some()), (BodyKind::Constant, false));
    assert_eq!((users.body, users.authentication.is_some()), (BodyKind::Computed, true));
    let listen = &application.listens[0];
    assert_eq!((listen.port, listen.variable.as_deref()), (Some(3000), Some("PORT")));
    assert_eq!(listen.host.as_deref(), Some("0.0.0.0"));
    assert_eq!(application.cors[0].origins[0].value, "http://localhost:5173");
    assert_eq!(application.cors[0].credentials, Some(true));
}

#[test]
fn python_origins_ports_and_switches_are_found() {
    let text = "import os\nimport uvicorn\nfrom sqlalchemy import create_engine\norigins = ['http://localhost:3000']\n\
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_credentials=True)\n\
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins)\nkwargs = {'echo': True}\n\
        engine = create_engine(URL, **kwargs)\ndef init():\n    Base.metadata.create_all(engine)\n\
        uvicorn.run(app, host='0.0.0.0', port=int(os.getenv('PORT', '9000')), reload=True)\n";
    let (application, files) = read(&[("app/main.py", text)]);
    let [first, second] = application.cors.as_slice() else { panic!() };
    assert_eq!((first.origins.len(), first.configured), (1, false));
    assert_eq!(files.slice(first.place), "['http://localhost:3000']");
    assert!(second.configured && second.origins.is_empty());
    let kinds: Vec<SwitchKind> = application.debug_switches.iter().map(|switch| switch.kind).collect();
    assert_eq!(kinds, [SwitchKind::Reload, SwitchKind::SqlEcho]);
    assert_eq!(files.slice(application.schema_creations[0].place), "Base.metadata.create_all");
    let listen = &application.listens[0];
    assert_eq!((listen.port, listen.variable.as_deref()), (Some(9000), Some("PORT")));
}

#[test]
fn migration_tools_say_where_their_address_comes_from() {
    let ini = "[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = sqlite:///./x.db\n";
    let fixed = "url = config.get_main_option('sqlalchemy.url')\n";
    let (application, files) = read(&[("api/alembic.ini", ini), ("api/migrations/env.py", fixed)]);
    let migration = &application.migrations[0];
    assert_eq!((migration.tool, migration.folder.as_str()), ("alembic", "api"));
    assert_eq!(files.slice(migration.url.as_ref().unwrap().place), "sqlite:///./x.db");
    assert_eq!(migration.from_environment, None);
    let taken = "import os\nconfig.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'])\n";
    let (application, _) = read(&[("api/alembic.ini", ini), ("api/migrations/env.py", taken)]);
    assert!(application.migrations[0].from_environment.is_some());
    let knex = "module.exports = { production: { client: 'pg', connection: 'postgres://a@b/c' } }";
    let (application, _) = read(&[("knexfile.js", knex)]);
    assert_eq!(application.migrations[0].url.as_ref().unwrap().value, "postgres://a@b/c");
}

#[test]
fn manifests_name_what_a_project_needs() {
    let pyproject = "[project]\nname = 'x'\nreadme = 'README.md'\nrequires-python = '>=3.12'\n\
        dependencies = ['FastAPI>=0.1', 'uvicorn[standard]']\n[project.scripts]\nrun = 'x:main'\n\
        [dependency-groups]\ndev = ['pytest']\n";
    let package = "{\"name\": \"web\", \"engines\": {\"node\": \">=20\"}, \"scripts\": {\"build\": \"vite build\"},\n\
        \"dependencies\": {\"react\": \"1\"}, \"devDependencies\": {\"vite\": \"5\"}}";
    let go = "module example.com/x\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1\n\tgithub.com/c/d v2 // indirect\n)\n";
    let (application, files) = read(&[
        ("api/pyproject.toml", pyproject),
        ("api/uv.lock", ""),
        ("web/package.json", package),
        ("worker/requirements.txt", "# x\nDjango==5\n-r other.txt\n"),
        ("svc/go.mod", go),
        ("api/app/main.py", ""),
    ]);
    let [api, svc, web, worker] = application.projects.as_slice() else { panic!() };
    let names = |list: &[plimsoll_text::Spanned<String>]| -> Vec<String> {
        list.iter().map(|name| name.value.clone()).collect()
    };
    assert_eq!(names(&api.dependencies), ["fastapi", "uvicorn"]);
    assert_eq!(names(&api.dev_dependencies), ["pytest"]);
    assert_eq!(
        (names(&api.programs), names(&api.build_files)),
        (vec!["run".into()], vec!["README.md".into()])
    );
    assert_eq!(api.lock_files, ["api/uv.lock"]);
    assert_eq!((names(&svc.dependencies), svc.language), (vec!["github.com/a/b".into()], Language::Go));
    assert_eq!(names(&web.dev_dependencies), ["vite"]);
    assert_eq!(web.scripts[0].1.value, "vite build");
    assert_eq!(web.language_version.as_ref().unwrap().value, ">=20");
    assert_eq!(names(&worker.dependencies), ["django"]);
    let main = files.find("api/app/main.py".into()).unwrap();
    assert_eq!(application.project_of(&files, main).unwrap().folder, "api");
}
