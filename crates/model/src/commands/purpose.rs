//! What a command is for, as far as its name and words tell.

use super::Command;

impl Command {
    /// Whether it starts or restarts services of a Compose project or stack.
    #[must_use]
    pub fn starts_services(&self) -> bool {
        self.is("docker", &["compose", "up"])
            || self.is("docker", &["compose", "start"])
            || self.is("docker", &["compose", "restart"])
            || self.is("docker", &["stack", "deploy"])
            || self.is("podman", &["compose", "up"])
            || self.program == "podman-compose"
                && self.operands().next().is_some_and(|arg| arg.value.text == "up")
    }

    /// Whether it brings a database schema to a version (Alembic, Django, Prisma, Rails, Laravel, Knex, Flyway,
    /// golang-migrate, sqlx, diesel, Drizzle, TypeORM, Sequelize).
    #[must_use]
    pub fn migrates(&self) -> bool {
        let words: Vec<&str> = self.operands().map(|arg| arg.value.text.as_str()).collect();
        let has = |wanted: &[&str]| wanted.iter().all(|word| words.contains(word));
        match self.program.as_str() {
            "alembic" => has(&["upgrade"]),
            "flask" => has(&["db", "upgrade"]),
            "prisma" => has(&["migrate", "deploy"]) || has(&["db", "push"]) || has(&["migrate", "reset"]),
            "npx" | "pnpm" | "yarn" | "bunx" | "npm" | "pnpx" | "bun" => {
                has(&["prisma", "migrate"])
                    || has(&["prisma", "db", "push"])
                    || has(&["knex", "migrate:latest"])
                    || has(&["drizzle-kit", "push"])
                    || has(&["drizzle-kit", "migrate"])
                    || has(&["sequelize-cli", "db:migrate"])
                    || has(&["sequelize", "db:migrate"])
                    || words
                        .iter()
                        .any(|word| word.starts_with("db:migrate") || word.starts_with("migration:run"))
            }
            "python" | "python3" | "uv" | "poetry" => {
                words.iter().any(|word| word.ends_with("manage.py")) && has(&["migrate"])
                    || has(&["alembic", "upgrade"])
            }
            "php" => {
                words.iter().any(|word| word.ends_with("artisan"))
                    && words.iter().any(|w| w.starts_with("migrate"))
            }
            "rails" | "rake" | "bundle" => words.iter().any(|word| word.starts_with("db:migrate")),
            "knex" => has(&["migrate:latest"]),
            "flyway" | "goose" | "dbmate" | "diesel" | "sqlx" | "atlas" => {
                words.iter().any(|word| matches!(*word, "migrate" | "up" | "migration" | "apply"))
            }
            "migrate" => words.contains(&"up"),
            _ => false,
        }
    }

    /// Whether it saves data or a whole guest.
    #[must_use]
    pub fn backs_up(&self) -> bool {
        let words: Vec<&str> = self.operands().map(|arg| arg.value.text.as_str()).collect();
        match self.program.as_str() {
            "vzdump"
            | "pg_dump"
            | "pg_dumpall"
            | "mysqldump"
            | "mariadb-dump"
            | "mongodump"
            | "pg_basebackup"
            | "restic"
            | "borg"
            | "proxmox-backup-client"
            | "rdiff-backup"
            | "duplicity" => true,
            "pct" | "qm" => matches!(words.first(), Some(&"snapshot")),
            "zfs" | "btrfs" | "lvcreate" => {
                words.iter().any(|word| word.contains("snapshot")) || self.program == "lvcreate"
            }
            "sqlite3" => {
                self.arg_texts().any(|word| word.contains(".backup") || word.contains("VACUUM INTO"))
            }
            "redis-cli" => {
                words.iter().any(|word| matches!(word.to_ascii_uppercase().as_str(), "SAVE" | "BGSAVE"))
            }
            _ => self.program.contains("backup") || self.program.contains("snapshot"),
        }
    }

    /// Whether it packs or copies a whole folder: `tar c … .`, `rsync -a ./ host:`, `scp -r . host:`,
    /// `zip -r x .`.
    #[must_use]
    pub fn takes_whole_folder(&self) -> bool {
        let operands: Vec<&str> = self.operands().map(|arg| arg.value.text.as_str()).collect();
        let whole = |word: &str| matches!(word, "." | "./" | "*" | "./*") || word.ends_with("/.");
        match self.program.as_str() {
            "tar" => {
                let creates = self.flag(&["-c", "--create"]).is_some()
                    || operands.first().is_some_and(|first| first.starts_with('c') && first.len() < 6);
                creates && operands.iter().any(|word| whole(word))
            }
            "rsync" => {
                operands.first().is_some_and(|source| whole(source))
                    && operands.iter().any(|word| word.contains(':'))
            }
            "scp" => self.flag(&["-r"]).is_some() && operands.first().is_some_and(|source| whole(source)),
            "zip" => self.flag(&["-r"]).is_some() && operands.iter().skip(1).any(|word| whole(word)),
            _ => false,
        }
    }
}
