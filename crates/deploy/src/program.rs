//! What guests run for a deploy: one program that each keeps, so that it is sent once.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_remote::Program;

macro_rules! functions {
    ($($name:literal => $file:literal,)*) => {
        concat!(include_str!("scripts/head.sh"), $("do_", $name, "() {\n", include_str!($file), "}\n",)*)
    };
}

/// Each script is the function `do_` and its name.
const FUNCTIONS: &str = functions! {
    "observe" => "scripts/observe.sh",
    "lock" => "scripts/lock.sh",
    "store" => "scripts/store.sh",
    "listing" => "scripts/listing.sh",
    "files" => "scripts/files.sh",
    "context" => "scripts/context.sh",
    "build" => "scripts/build.sh",
    "load" => "scripts/load.sh",
    "pull" => "scripts/pull.sh",
    "render" => "scripts/render.sh",
    "snapshot" => "scripts/snapshot.sh",
    "hook" => "scripts/hook.sh",
    "switch" => "scripts/switch.sh",
    "remove" => "scripts/remove.sh",
    "halt" => "scripts/halt.sh",
    "power" => "scripts/power.sh",
    "good" => "scripts/good.sh",
    "collect" => "scripts/collect.sh",
    "password" => "password/scripts/step.sh",
};

/// The program.
pub(crate) static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    Program::new(FUNCTIONS, |text| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Nothing that is written to memory fails.
        let _ = encoder.write_all(text);
        encoder.finish().unwrap_or_default()
    })
});

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_posix_shell_can_read_it() {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(PROGRAM.packed.as_slice()).read_to_end(&mut text).unwrap();
        let mut child = {
            #[expect(clippy::disallowed_methods, reason = "asks a real shell")]
            std::process::Command::new("sh").arg("-n").stdin(std::process::Stdio::piped()).spawn().unwrap()
        };
        child.stdin.take().unwrap().write_all(&text).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(PROGRAM.packed.len() < 8000, "{}", PROGRAM.packed.len());
    }
}
