//! The commands of all programs together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use camino::Utf8Path;
use plimsoll_text::{FileId, Files, Place};

use super::reading::{Reading, Surroundings};
use super::shared::Shared;
use super::{
    Bindings, Command, CommandId, Function, HopKind, Machine, Origin, Procedure, Source, Strict, Unit,
    UnitId, Value, declare, flow, walk,
};

/// All programs and commands of an evaluation, in file order.
#[derive(Debug, Default)]
pub struct Commands {
    units: Vec<Unit>,
    commands: Vec<Command>,
    ranges: Vec<Range<usize>>,
    bindings: Vec<Bindings>,
    functions: Vec<BTreeMap<String, Function>>,
    sources: Vec<Vec<UnitId>>,
    procedures: Vec<Procedure>,
    runbooks: BTreeSet<FileId>,
    by_file: BTreeMap<FileId, Vec<usize>>,
}

/// Programs that exist only on a Proxmox VE node (package `pve-manager`, `qemu-server`, `pve-container`).
#[must_use]
pub fn is_node_tool(program: &str) -> bool {
    matches!(
        program,
        "pct"
            | "qm"
            | "pveam"
            | "pvesm"
            | "pvesh"
            | "pveum"
            | "pvecm"
            | "pvenode"
            | "pveversion"
            | "vzdump"
            | "qmrestore"
            | "pvesr"
            | "ha-manager"
            | "pveceph"
            | "pve-firewall"
    )
}

impl Commands {
    /// Reads all programs: first to learn which SSH targets are nodes and which scripts run where, then for good.
    /// What was read before and cannot be read otherwise now is taken over.
    #[must_use]
    pub(crate) fn new(mut units: Vec<Unit>, files: &Files, before: Option<&Shared<'_>>) -> Self {
        let sources = source_graph(&units, files);
        let known = before.map(|before| before.readings(&units, &sources)).unwrap_or_default();
        let first = read_all(&units, files, &sources, &|_| Machine::Guest, &BTreeMap::new(), known);
        let written = written_units(&units, &first);
        let extra = written.len();
        units.extend(written);
        let sources = if extra == 0 { sources } else { source_graph(&units, files) };
        let nodes = node_targets(&first);
        let begun: Vec<Machine> = units.iter().map(|unit| unit.machine).collect();
        place_units(&mut units, &first, files);
        let runbooks = super::runbook::find(&mut units, &first);
        let decide = move |target: &Value| target_machine(target, &nodes);
        let known = sources.iter().flatten().filter_map(|source| {
            let index = source.0 as usize;
            Some((index, first.get(index)?.functions.clone()))
        });
        let known: BTreeMap<usize, BTreeMap<String, Function>> = known.collect();
        // What is not kept is freed here, so that the second reading takes its place in memory.
        let kept = first.into_iter().enumerate().map(|(index, reading)| {
            let alone = sources.get(index).is_none_or(Vec::is_empty);
            let stays = units.get(index).map(|unit| unit.machine) == begun.get(index).copied();
            (alone && stays && !reading.uses_ssh()).then_some(reading)
        });
        let kept = kept.collect();
        let readings = read_all(&units, files, &sources, &decide, &known, kept);
        let commands = Vec::with_capacity(readings.iter().map(|reading| reading.commands.len()).sum());
        let mut set = Self { units, commands, sources, runbooks, ..Self::default() };
        for reading in readings {
            let start = set.commands.len();
            set.commands.extend(reading.commands);
            set.ranges.push(start..set.commands.len());
            set.bindings.push(reading.bindings);
            set.functions.push(reading.functions);
        }
        for (index, command) in set.commands.iter().enumerate() {
            set.by_file.entry(command.place.file).or_default().push(index);
        }
        set.procedures = flow::procedures(&set, files);
        set
    }

    /// What a program was read as, where nothing but its own text and the machine that it began on decides that.
    pub(super) fn reading_alone(&self, index: usize, begun: Machine) -> Option<Reading> {
        let range = self.ranges.get(index)?.clone();
        let alone = self.sources.get(index).is_some_and(Vec::is_empty);
        let stays = self.units.get(index).is_some_and(|unit| unit.machine == begun);
        let commands = self.commands.get(range).filter(|_| alone && stays)?;
        // A script that is written by heredoc is a program of its own, which is not kept with the reading.
        if commands.iter().any(|command| command.heredoc.is_some()) {
            return None;
        }
        let reading = Reading {
            commands: commands.to_vec(),
            bindings: self.bindings.get(index)?.clone(),
            functions: self.functions.get(index)?.clone(),
            written: Vec::new(),
        };
        (!reading.uses_ssh()).then_some(reading)
    }

    /// All commands.
    pub fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter()
    }

    /// The commands that stand in a file, in reading order.
    pub fn in_file(&self, file: FileId) -> impl Iterator<Item = &Command> {
        self.by_file.get(&file).into_iter().flatten().filter_map(|index| self.commands.get(*index))
    }

    /// All programs with their ids.
    pub fn units(&self) -> impl Iterator<Item = (UnitId, &Unit)> {
        self.units
            .iter()
            .enumerate()
            .map(|(index, unit)| (UnitId(u32::try_from(index).unwrap_or(u32::MAX)), unit))
    }

    /// The program of an id.
    ///
    /// # Panics
    /// When the id comes from another set.
    #[must_use]
    pub fn unit(&self, id: UnitId) -> &Unit {
        &self.units[id.0 as usize]
    }

    /// Whether a program is only read by people: a code block of a document, unless the document is how this
    /// deployment is made, because nothing else makes it.
    #[must_use]
    pub fn is_only_read(&self, id: UnitId) -> bool {
        let unit = self.unit(id);
        unit.origin.is_documentation() && !self.runbooks.contains(&unit.file)
    }

    /// The commands of a program in reading order.
    #[must_use]
    pub fn of_unit(&self, id: UnitId) -> &[Command] {
        self.ranges.get(id.0 as usize).and_then(|range| self.commands.get(range.clone())).unwrap_or_default()
    }

    /// The command of an id.
    #[must_use]
    pub fn get(&self, id: CommandId) -> Option<&Command> {
        self.commands.get(id.0 as usize)
    }

    /// The variables of a program.
    #[must_use]
    pub fn bindings(&self, id: UnitId) -> &Bindings {
        static NONE: LazyLock<Bindings> = LazyLock::new(Bindings::default);
        self.bindings.get(id.0 as usize).unwrap_or(&NONE)
    }

    /// A function that a program can call: its own, or of a file that it sources.
    #[must_use]
    pub fn function(&self, id: UnitId, name: &str) -> Option<(UnitId, &Function)> {
        let own =
            self.functions.get(id.0 as usize).and_then(|functions| functions.get(name)).map(|f| (id, f));
        own.or_else(|| {
            self.sources.get(id.0 as usize)?.iter().find_map(|source| {
                self.functions.get(source.0 as usize)?.get(name).map(|function| (*source, function))
            })
        })
    }

    /// Functions of a program.
    pub fn functions(&self, id: UnitId) -> impl Iterator<Item = &Function> {
        self.functions.get(id.0 as usize).into_iter().flat_map(BTreeMap::values)
    }

    /// The programs that a program sources, nearest first.
    #[must_use]
    pub fn sources(&self, id: UnitId) -> &[UnitId] {
        self.sources.get(id.0 as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// What runs from start to end: scripts, tasks, recipes, jobs, each with its commands in the order of execution.
    #[must_use]
    pub fn procedures(&self) -> &[Procedure] {
        &self.procedures
    }

    /// The commands that a command carries to where they run, nearest first.
    pub fn carried_by(&self, id: CommandId) -> impl Iterator<Item = &Command> {
        let start = id.0 as usize + 1;
        self.commands
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |command| command.carrier.is_some_and(|carrier| carrier >= id))
    }

    /// The outermost command that carries this one (itself when nothing carries it).
    #[must_use]
    pub fn outermost<'a>(&'a self, command: &'a Command) -> &'a Command {
        let mut current = command;
        while let Some(carrier) = current.carrier.and_then(|id| self.get(id)) {
            if carrier.id >= current.id {
                break;
            }
            current = carrier;
        }
        current
    }
}

/// Reads programs in order; `known` are functions of programs that others source, and `kept` are readings that
/// come out the same again.
fn read_all(
    units: &[Unit],
    files: &Files,
    sources: &[Vec<UnitId>],
    decide: &dyn Fn(&Value) -> Machine,
    known: &BTreeMap<usize, BTreeMap<String, Function>>,
    kept: Vec<Option<Reading>>,
) -> Vec<Reading> {
    let mut kept = kept.into_iter();
    let mut readings: Vec<Reading> = Vec::with_capacity(units.len());
    let mut bindings: BTreeMap<usize, Bindings> = BTreeMap::new();
    for needed in sources.iter().flatten() {
        let index = needed.0 as usize;
        if let Some(unit) = units.get(index) {
            bindings.entry(index).or_insert_with(|| declare::bindings_of(unit));
        }
    }
    let mut first_id = 0;
    for (index, unit) in units.iter().enumerate() {
        let mut around = Surroundings { target: Some(decide), ..Surroundings::default() };
        for source in sources.get(index).into_iter().flatten() {
            let source = source.0 as usize;
            around.sourced.extend(bindings.get(&source));
            if let Some(reading) = readings.get(source) {
                around.functions.push(&reading.functions);
            } else {
                around.functions.extend(known.get(&source));
            }
        }
        let id = UnitId(u32::try_from(index).unwrap_or(u32::MAX));
        let path = files.get(unit.place.file).path();
        let reading = match kept.next().flatten() {
            Some(mut reading) => {
                reading.renumber(id, first_id);
                reading
            }
            None => walk::read(unit, id, path, first_id, &around),
        };
        drop(around);
        first_id += u32::try_from(reading.commands.len()).unwrap_or(0);
        readings.push(reading);
    }
    readings
}

/// Which script sources which, directly or through another; by the path's end, since folders are often variables.
fn source_graph(units: &[Unit], files: &Files) -> Vec<Vec<UnitId>> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, unit) in units.iter().enumerate() {
        if unit.origin == Origin::Script {
            by_name.entry(files.get(unit.place.file).name()).or_default().push(index);
        }
    }
    let direct: Vec<Vec<usize>> = units
        .iter()
        .enumerate()
        .map(|(index, unit)| {
            let mut found = Vec::new();
            plimsoll_syntax::shell::walk(&unit.script.body, &mut |stmt| {
                let plimsoll_syntax::shell::StmtKind::Simple(simple) = &stmt.kind else { return };
                let [program, file, ..] = simple.words.as_slice() else { return };
                if !matches!(program.text(), "source" | ".") {
                    return;
                }
                let name = Utf8Path::new(file.text()).file_name().unwrap_or_default();
                let own = files.get(unit.place.file).path();
                let nearest =
                    by_name.get(name).into_iter().flatten().copied().filter(|at| *at != index).max_by_key(
                        |at| {
                            units
                                .get(*at)
                                .map_or(0, |other| common_folders(own, files.get(other.place.file).path()))
                        },
                    );
                found.extend(nearest);
            });
            found
        })
        .collect();
    (0..units.len())
        .map(|index| {
            let mut seen = BTreeSet::from([index]);
            let mut order = Vec::new();
            let mut waiting = direct.get(index).cloned().unwrap_or_default();
            while let Some(next) = waiting.pop() {
                if seen.insert(next) {
                    order.push(UnitId(u32::try_from(next).unwrap_or(u32::MAX)));
                    waiting.extend(direct.get(next).into_iter().flatten());
                }
            }
            order
        })
        .collect()
}

fn common_folders(a: &Utf8Path, b: &Utf8Path) -> usize {
    a.components().zip(b.components()).take_while(|(a, b)| a == b).count()
}

/// What identifies an SSH target: its text and the variables it comes from.
fn target_keys(target: &Value) -> impl Iterator<Item = String> {
    let host = target.text.rsplit_once('@').map_or(target.text.as_str(), |(_, host)| host).to_owned();
    let names = target.sources.iter().filter_map(|source| match source {
        Source::Assigned { name, .. }
        | Source::Default { name, .. }
        | Source::Environment { name }
        | Source::Input { name } => Some(format!("${name}")),
        Source::Argument { .. } | Source::Output { .. } => None,
    });
    std::iter::once(host).chain(names.collect::<Vec<_>>())
}

/// Targets on which a node's own tools are run.
fn node_targets(readings: &[Reading]) -> BTreeSet<String> {
    let mut nodes = BTreeSet::new();
    for command in readings.iter().flat_map(|reading| &reading.commands) {
        if is_node_tool(&command.program)
            && let Some(HopKind::Ssh { target, .. }) = command.last_machine_hop().map(|hop| &hop.kind)
        {
            nodes.extend(
                target_keys(target).filter(|key| !key.is_empty() && !matches!(key.as_str(), "$1" | "${1}")),
            );
        }
    }
    nodes
}

fn target_machine(target: &Value, nodes: &BTreeSet<String>) -> Machine {
    if target_keys(target).any(|key| nodes.contains(&key)) {
        return Machine::Node;
    }
    let named = target_keys(target).any(|key| {
        let key = key.to_ascii_lowercase();
        ["proxmox", "pve", "hypervisor"].iter().any(|word| key.contains(word))
            && !["container", "guest", "_ct", "_vm", "vmid", "lxc"].iter().any(|word| key.contains(word))
    });
    if named { Machine::Node } else { Machine::Guest }
}

/// Moves programs to the machine that their own text or their callers show.
fn place_units(units: &mut [Unit], readings: &[Reading], files: &Files) {
    let mut in_guest: BTreeSet<String> = BTreeSet::new();
    for command in readings.iter().flat_map(|reading| &reading.commands) {
        if command.machine == Machine::Guest && !command.hops.is_empty() {
            let runs = std::iter::once(command.program.as_str())
                .chain(command.arg_texts().take(2).filter(|_| is_shell(&command.program)));
            in_guest.extend(runs.filter_map(script_name).map(str::to_owned));
        }
    }
    for (unit, reading) in units.iter_mut().zip(readings) {
        if unit.machine != Machine::Workstation {
            continue;
        }
        // `build_container` of the community scripts' `build.func` makes the guest and comes back to the node.
        let on_node = reading.commands.iter().any(|command| {
            is_node_tool(&command.program)
                && command.last_machine_hop().is_none()
                && !matches!(command.program.as_str(), "pveversion")
        }) || reading.commands.iter().any(|command| command.program == "build_container");
        let name = match &unit.origin {
            Origin::WrittenScript { path } => {
                Utf8Path::new(&path.text).file_name().unwrap_or_default().to_owned()
            }
            _ => files.get(unit.place.file).name().to_owned(),
        };
        let is_file = matches!(unit.origin, Origin::Script | Origin::WrittenScript { .. });
        if on_node {
            unit.machine = Machine::Node;
        } else if is_file && (in_guest.contains(&name) || sets_up_a_server(reading)) {
            unit.machine = Machine::Guest;
        }
    }
}

/// Whether a program sets up the machine that it runs on: it enables services or installs Docker there, and reaches
/// no other machine.
fn sets_up_a_server(reading: &Reading) -> bool {
    let reaches = reading.commands.iter().any(|command| command.last_machine_hop().is_some());
    let sets_up = reading.commands.iter().any(|command| match command.program.as_str() {
        "systemctl" => {
            command.operands().any(|arg| matches!(arg.value.text.as_str(), "enable" | "daemon-reload"))
        }
        "apt-get" | "apt" | "apk" | "dnf" | "yum" => command
            .operands()
            .any(|arg| arg.value.text.contains("docker") || arg.value.text.contains("nginx")),
        "curl" | "wget" => command.arg_texts().any(|arg| arg.contains("get.docker.com")),
        _ => false,
    });
    sets_up && !reaches
}

fn is_shell(program: &str) -> bool {
    matches!(program, "bash" | "sh" | "dash" | "zsh" | "source" | ".")
}

/// The file name when a word looks like a script.
fn script_name(word: &str) -> Option<&str> {
    let name = Utf8Path::new(word).file_name()?;
    (name.ends_with(".sh") || name.ends_with(".bash")).then_some(name)
}

/// Scripts that scripts write to files, as programs of their own.
fn written_units(units: &[Unit], readings: &[Reading]) -> Vec<Unit> {
    let mut found = Vec::new();
    for (unit, reading) in units.iter().zip(readings) {
        for (path, heredoc, place) in &reading.written {
            let script = plimsoll_syntax::shell::parse_nested(&heredoc.body, &heredoc.outer);
            found.push(Unit {
                file: unit.file,
                origin: Origin::WrittenScript { path: path.clone() },
                place: Place::new(unit.file, heredoc.body.full_place().span.cover(place.span)),
                script: std::sync::Arc::new(script),
                machine: Machine::Workstation,
                strict: Strict::default(),
                environment: Vec::new(),
                directory: None,
            });
        }
    }
    found
}

impl Commands {
    /// The unit that a script file is.
    #[must_use]
    pub fn script_unit(&self, file: FileId) -> Option<UnitId> {
        self.units().find(|(_, unit)| unit.origin == Origin::Script && unit.file == file).map(|(id, _)| id)
    }
}
